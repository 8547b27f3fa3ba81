package console

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/chromium"
	"github.com/feedrank/feedrank/test/chromium/axe"
)

// looksAtEveryScreen holds that no screen keeps people out: by axe-core's rules, light, dark and narrow.
func (p *person) looksAtEveryScreen() {
	rules, err := axe.Load(p.t.Context())
	require.NoError(p.t, err)
	b := p.w.operator("ben", false)
	b.open("/console/dead-letters?queue=events")
	letter := regexpLetter.FindStringSubmatch(b.page)
	require.NotNil(p.t, letter, b.page)
	post := p.w.postOf(5)
	for name, path := range map[string]string{
		"feed": "/feed?user=1", "feed, empty": "/feed", "why not": "/why-not?user=1&post=" + post,
		"why not, wrong": "/why-not?user=me&post=1", "trending": "/trending", "ranking": "/ranking",
		"other weights": "/feed/compare?user=1&freshness=0.9", "suggestions": "/suggestions?user=1",
		"quality": "/quality", "quality by source": "/quality?by=source",
		"found":    "/feed?user=user&by=name",
		"pipeline": "/pipeline", "dead letters": "/dead-letters",
		"dead letter": "/dead-letters/letter?queue=events&id=" + letter[1],
		"operations":  "/operations", "audit list": "/actions", "runbook": "/runbook?entry=EventsLate",
	} {
		p.t.Run(name, func(t *testing.T) {
			p := p.in(t)
			p.open("/console" + path)
			p.isForEverybody(rules)
		})
	}
	p.t.Run("confirmation", func(t *testing.T) {
		p := p.in(t)
		p.open("/console/operations")
		p.press("Force open")
		p.sees("Stop asking")
		p.isForEverybody(rules)
	})
	p.t.Run("login", func(t *testing.T) {
		p := p.in(t)
		p.press("Log out")
		p.sees("feedrank console")
		p.isForEverybody(rules)
		p.logIn("none")
		p.sees("The token does not hold")
		p.isForEverybody(rules)
		p.logIn(p.w.operatorToken(t, "ana"))
		p.sees("Pipeline", "ana")
	})
}

// isForEverybody looks at the page that is shown: in the dark only colours differ.
func (p *person) isForEverybody(rules *axe.Axe) {
	p.t.Helper()
	for _, look := range chromium.Looks() {
		p.do(chromium.As(look))
		ctx, cancel := p.browser.Within(time.Minute)
		defer cancel()
		var only []string
		if look.Scheme == "dark" {
			only = []string{"color-contrast"}
		}
		found, err := rules.Look(ctx, only...)
		require.NoError(p.t, err)
		for _, f := range found {
			if f.Serious() {
				p.t.Errorf("%s: %s", look.Name, f)
			}
		}
		wide, err := chromedp.Run(ctx, chromium.Overflow())
		require.NoError(p.t, err)
		require.LessOrEqual(p.t, wide, 0, "%s: the page is wider than its window", look.Name)
	}
	p.do(chromium.As(chromium.Looks()[0]))
}
