package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// line is what was seen in one trial.
func (t *trial) line() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", 1000*d.Seconds()) }
	p := harness.PercentilesOf(t.times)
	line := fmt.Sprintf("availability: fault=%s requests=%d non2xx=%d wrong=%d p50_ms=%s p99_ms=%s max_ms=%s over_%dms=%d worst_gap_ms=%s",
		t.name, t.requests, total(t.failures), total(t.wrong), harness.Short(p.P50), harness.Short(p.P99),
		harness.Short(p.Max),
		slowAnswer.Milliseconds(), t.slow, ms(t.gap))
	if t.opened > 0 {
		line += " opened_after_ms=" + ms(t.opened)
	}
	if t.closed > 0 {
		line += " well_after_ms=" + ms(t.closed)
	}
	line += " served_from=" + sorted(t.from)
	if len(t.failures) > 0 {
		line += " failures=" + sorted(t.failures)
	}
	if len(t.wrong) > 0 {
		line += " wrongs=" + sorted(t.wrong)
	}
	if t.events != nil {
		line += fmt.Sprintf(" events=%d events_non2xx=%d", t.events.requests, total(t.events.failures))
	}
	return line
}

func (d *drill) report() error {
	if len(d.seen) == 0 {
		return nil
	}
	all, events := newWindow("all"), newWindow("all")
	for _, t := range d.seen {
		d.Say("%s", t.line())
		all.take(t.window)
		events.take(t.events)
		if n := total(t.failures); n > 0 && strings.HasSuffix(t.name, restarted) {
			d.Broken("%s lost %d requests: %s", t.name, n, sorted(t.failures))
		}
	}
	p := harness.PercentilesOf(all.times)
	failed := total(all.failures)
	d.Figure("feeds without a 2xx", "%", 0.5, 0, 100*float64(failed)/float64(all.requests))
	d.Figure("feeds that were wrong", "%", 0, 0, 100*float64(total(all.wrong))/float64(all.requests))
	d.Figure("P99 of all feeds, faults and restarts", "ms", harness.None, 500, p.P99)
	worst := slices.MaxFunc(d.seen, func(a, b *trial) int {
		return int(harness.PercentilesOf(a.times).P99 -
			harness.PercentilesOf(b.times).P99)
	})
	d.Figure("P99 of the worst fault", "ms", harness.None, 500,
		harness.PercentilesOf(worst.times).P99).Note = worst.name
	d.Note("trending posts of barred authors, where nobody could know of them", "%",
		100*float64(all.from[unfiltered])/float64(all.requests))
	d.Note("longest time without a feed", "ms", 1000*all.gap.Seconds())
	d.Note("events answered by 503 and the like", "%",
		100*float64(total(events.failures))/float64(max(1, events.requests)))
	d.Say("%s", (&trial{window: all, events: events}).line())
	d.audiences(all)
	if n := all.serverErrors(); n > 0 {
		d.Broken("%d feeds were answered by a 5xx", n)
	}
	if n := total(all.wrong); n > 0 {
		d.Broken("%d feeds were wrong: %s", n, sorted(all.wrong))
	}
	return nil
}

// audiences says how many feeds showed what their viewers may not see, and that there was something to see.
func (d *drill) audiences(all *window) {
	var violations int64
	for wrong, n := range all.wrong {
		if !strings.HasPrefix(wrong, emptyFeed) {
			violations += n
		}
	}
	if d.truth == nil {
		return
	}
	shown := d.truth.shown.Load()
	d.Say("availability: feeds=%d posts_for_a_few=%d authors_gone_or_private=%d shown_to_whom_they_are_for=%d "+
		"violations=%d", all.requests, len(d.truth.posts), len(d.truth.authors), shown, violations)
	if shown == 0 {
		d.Broken("no post that is for a few was shown to any of them: nothing was tried")
	}
}

// serverErrors are the answers that blame the server.
func (w *window) serverErrors() (n int64) {
	for failure, of := range w.failures {
		if strings.HasPrefix(failure, "status 5") {
			n += of
		}
	}
	return n
}
