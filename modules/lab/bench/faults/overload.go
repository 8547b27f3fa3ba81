package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// Overload asks for more than the machine can do, and looks at what is still answered, how late, and how
// long it takes until all is as before. Half of the requests are of people whose feed is cached, four in
// ten of people whose feed must be computed, one in ten asks whom to follow. In one phase strangers who mean
// harm (hostile.go) send as many requests again.
func Overload() harness.Bench {
	return harness.Bench{
		Name: "overload",
		Says: "1, 3 and 10 times of what the machine can do: what is still answered, and how soon it is well again",
		Run: func(ctx context.Context, on *harness.Environment) error {
			// Entries are short-lived, so that who comes again half a minute later is computed again.
			program, err := on.Serve(ctx, "program", "api", "rate_limit.user_per_minute=0",
				"rate_limit.address_per_minute=0",
				"feed.cache.ttl=10s", "feed.cache.stale_for=0s", "http.unlimited=127.0.0.1/32")
			if err != nil {
				return err
			}
			c, err := newVisitors(on, program)
			if err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, c.cached); err != nil {
				return err
			}
			capacity, err := c.capacity(ctx)
			if err != nil {
				return err
			}
			c.phase(ctx, capacity/2, 5*time.Second) // warms up
			normal := c.phase(ctx, capacity/2, 10*time.Second)
			c.tell("normal", normal)
			attacked := c.hostile(ctx, capacity, on.Lasting(20*time.Second))
			c.tell("half of it attacks", attacked)
			on.FigureAtLeast("of use to others while half of the load attacks", "%", harness.None, 95, 100*attacked.ofUse())
			for _, times := range []float64{1, 3, 10} {
				lasting := on.Lasting(20 * time.Second)
				if times == 10 {
					lasting *= 3
				}
				burst := c.phase(ctx, times*capacity, lasting)
				after, err := c.untilNormal(ctx, capacity/2, normal)
				if err != nil {
					return err
				}
				c.tell(fmt.Sprintf("%.0fx", times), burst)
				on.Say("overload: after %.0fx normal again after %d ms", times, after.Milliseconds())
				on.FigureAtLeast(fmt.Sprintf("goodput at %.0f times of capacity", times), "% of capacity",
					harness.None, 50, 100*burst.goodput()/capacity)
				if times == 10 {
					on.Figure("P99 of every answer, 10 times", "ms", harness.None, 500,
						harness.PercentilesOf(burst.all().times).P99)
					on.Figure("normal again after", "s", harness.None, 10, after.Seconds())
				}
			}
			return ctx.Err()
		},
	}
}

// visitors are people of three kinds who all ask one program.
type visitors struct {
	*harness.Environment
	client   harness.Client
	cached   []harness.Request
	computed []harness.Request
	suggest  []harness.Request
}

const regularVisitors = 40

func newVisitors(on *harness.Environment, p *harness.Program) (*visitors, error) {
	c := &visitors{Environment: on, client: harness.NewClient(p.Addr)}
	feeds, err := on.Viewers(harness.FeedPath, 0, on.World.Users)
	if err != nil {
		return nil, err
	}
	c.cached, c.computed = feeds[:regularVisitors], feeds[regularVisitors:]
	c.suggest, err = on.Viewers("/api/v1/discover/suggested-users", 0, on.World.Users)
	return c, err
}

// kinds are the requests by kind, with their part of the load.
func (c *visitors) kinds() map[string]struct {
	part float64
	next func(int) harness.Request
} {
	return map[string]struct {
		part float64
		next func(int) harness.Request
	}{
		"cached": {0.5, harness.InTurn(c.cached)}, "computed": {0.4, harness.InTurn(c.computed)},
		"suggestions": {0.1, harness.InTurn(c.suggest)},
	}
}

// capacity is how many requests a second are answered in full when nobody asks faster than that.
func (c *visitors) capacity(ctx context.Context) (float64, error) {
	phase, err := c.Load(ctx, harness.Load{
		Name: "capacity", At: c.client.Addr(), Connections: 16, WarmUp: 5 * time.Second,
		For: c.Lasting(15 * time.Second),
		Request: func(n int) harness.Request {
			switch n % 10 {
			case 0, 1, 2, 3, 4:
				return c.cached[n%len(c.cached)]
			case 5:
				return c.suggest[n%len(c.suggest)]
			default:
				return c.computed[n%len(c.computed)]
			}
		},
	})
	if err != nil {
		return 0, err
	}
	c.Note("capacity: answers with 16 connections", "/s", phase.PerSec)
	return phase.PerSec, nil
}

// found is what was seen of each kind in one phase.
type found struct {
	kinds   map[string]*window
	seconds float64
}

// phase asks at a rate for a while.
func (c *visitors) phase(ctx context.Context, rate float64, lasting time.Duration) *found {
	ctx, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	f := &found{kinds: map[string]*window{}, seconds: lasting.Seconds()}
	var loads sync.WaitGroup
	for name, kind := range c.kinds() {
		asked := func() *harness.Client { return &c.client }
		s := &openLoop{rate: rate * kind.part, replica: asked, visit: func(n int) visit {
			r := kind.next(n + harness.NextNumber())
			return visit{&r, func(body []byte) (from, wrong string) { return harness.ServedFrom(body), "" }}
		}}
		s.open(name)
		f.kinds[name] = s.window.Load()
		loads.Go(func() { s.run(ctx) })
	}
	loads.Wait()
	return f
}

func (f *found) all() *window {
	all := newWindow("all")
	for _, w := range f.kinds {
		all.take(w)
	}
	return all
}

// goodput is how many answers a second were of use.
func (f *found) goodput() float64 { return float64(f.all().inTime) / f.seconds }

// ofUse is the part of the answers that were of use.
func (f *found) ofUse() float64 { return float64(f.all().inTime) / float64(max(1, f.all().requests)) }

// refusal is how the failures begin that are shed load: any other is one.
const refusal = "status 503 " + string(core.CodeOverloaded)

func (w *window) shed() (n int64) {
	for failure, times := range w.failures {
		if strings.HasPrefix(failure, refusal) {
			n += times
		}
	}
	return n
}

func (c *visitors) tell(load string, f *found) {
	all := f.all()
	p := harness.PercentilesOf(all.times)
	line := fmt.Sprintf("overload: load=%s offered=%.0f/s goodput=%.0f/s shed=%.0f%% p50_ms=%s p99_ms=%s max_ms=%s",
		load, float64(all.requests)/f.seconds,
		f.goodput(), 100*float64(all.shed())/float64(max(1, all.requests)), harness.Short(p.P50),
		harness.Short(p.P99), harness.Short(p.Max))
	for _, kind := range []string{"cached", "computed", "suggestions"} {
		w := f.kinds[kind]
		line += fmt.Sprintf(" %s: %.0f%% in time of %.0f/s, from %s", kind,
			100*float64(w.inTime)/float64(max(1, w.requests)), float64(w.requests)/f.seconds, sorted(w.from))
	}
	if other := total(all.failures) - all.shed(); other > 0 {
		line += " failures=" + sorted(all.failures)
	}
	c.Tell("%s", line)
	c.Say("%s", line)
}

// calm is how many seconds in a row must be normal, and backLimit when one stops to wait for them.
const (
	calm      = 3
	backLimit = time.Minute
)

// untilNormal is how long after a burst it takes until seconds are normal again: nothing fails, and
// P95 is at most twice what it was.
func (c *visitors) untilNormal(ctx context.Context, rate float64, normal *found) (time.Duration, error) {
	bound := 2 * harness.PercentilesOf(normal.all().times).P95
	began := time.Now()
	for inRow, since := 0, time.Duration(0); ctx.Err() == nil && time.Since(began) < backLimit; {
		if inRow == 0 {
			since = time.Since(began)
		}
		second := c.phase(ctx, rate, time.Second).all()
		if total(second.failures) > 0 || harness.PercentilesOf(second.times).P95 > bound {
			inRow = 0
			continue
		}
		if inRow++; inRow == calm {
			return since, nil
		}
	}
	return backLimit, ctx.Err()
}
