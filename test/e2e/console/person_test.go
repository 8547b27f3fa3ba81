package console

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/chromium"
	"github.com/feedrank/feedrank/test/wait"
)

// person is somebody at a browser: they read what is to be seen, fill in fields and press buttons.
type person struct {
	t       *testing.T
	w       *world
	browser *chromium.Browser
}

func newPerson(t *testing.T, w *world) *person {
	t.Helper()
	b, err := chromium.Start(context.Background(), "/console/login") // which refuses
	require.NoError(t, err)
	t.Cleanup(b.Close)
	p := &person{t: t, w: w, browser: b}
	p.do(chromium.As(chromium.Looks()[0]))
	return p
}

// in is the same person, of a part of a test.
func (p *person) in(t *testing.T) *person { return &person{t: t, w: p.w, browser: p.browser} }

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.browser.Within(time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v; pages said: %v; the page shows:\n%s", err, p.browser.Complaints(), p.text())
	}
}

func (p *person) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.w.base+path), chromedp.WaitVisible("#content"))
}

// text is what is to be read; empty while a page loads.
func (p *person) text() string {
	ctx, cancel := p.browser.Within(10 * time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return ""
	}
	return text
}

// sees waits until all of it is to be read.
func (p *person) sees(all ...string) {
	p.t.Helper()
	wait.Until(p.t, func() bool {
		text := p.text()
		for _, one := range all {
			if !strings.Contains(text, one) {
				return false
			}
		}
		return true
	}, "see %q, in:\n%s", all, lazily(p.text))
}

// lazily is asked for only when it is printed.
type lazily func() string

func (l lazily) String() string { return l() }

// press is a click on the first button, link or fold with a text.
func (p *person) press(text string) {
	p.t.Helper()
	p.do(chromedp.Click(`//*[self::main or @class="who"]//*[self::button or self::a or self::summary][contains(normalize-space(.), ` +
		strconv.Quote(text) + `)]`))
}

// follow is a click on the link that says exactly this, within a part of the page.
func (p *person) follow(within, text string) {
	p.t.Helper()
	p.do(chromedp.Click(`//main//` + within + `//a[normalize-space(.) = ` + strconv.Quote(text) + `]`))
}

// fill puts a text into a field.
func (p *person) fill(name, text string) {
	p.t.Helper()
	p.do(chromedp.SetValue(`main [name="`+name+`"]`, text))
}

// holds is what stands in a field.
func (p *person) holds(name string) string {
	p.t.Helper()
	ctx, cancel := p.browser.Within(time.Minute)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Value(`main [name="`+name+`"]`))
	require.NoError(p.t, err)
	return text
}

// logIn gives a token to the form that is shown.
func (p *person) logIn(token string) {
	p.t.Helper()
	p.sees("feedrank console")
	p.fill("token", token)
	p.press("Log in")
}

// operatorToken is one with the admin scope.
func (w *world) operatorToken(t *testing.T, name string) string {
	t.Helper()
	token, err := auth.SignOperator(w.cfg.Auth, name, false, time.Hour, time.Now())
	require.NoError(t, err)
	return token
}

// evaluates asks the page.
func (p *person) evaluates(expression string) string {
	p.t.Helper()
	ctx, cancel := p.browser.Within(time.Minute)
	defer cancel()
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	require.NoError(p.t, err)
	return said
}
