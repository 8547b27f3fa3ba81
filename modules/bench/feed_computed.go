package bench

import (
	"context"
	"time"
)

// feedComputed asks for the feeds of viewers who have no cached reserve, each once.
func feedComputed() Bench {
	return Bench{Name: "feed-computed", Says: "first pages of viewers without a cached reserve: from ClickHouse", Run: func(ctx context.Context, on *Stage) error {
		rate, lasting, warmUp := on.at(50), on.lasting(30*time.Second), 5*time.Second
		program, err := on.Serve(ctx, "program", "api")
		if err != nil {
			return err
		}
		idle, err := on.Idle(ctx, "idle", 10*time.Second)
		if err != nil {
			return err
		}
		requests, err := on.Viewers(feedPath, 0, int(rate*(lasting+warmUp).Seconds())+2)
		if err != nil {
			return err
		}
		computed, err := on.Load(ctx, Load{
			Name: "computed feed", At: program.Addr, Rate: rate, WarmUp: warmUp, For: lasting, Request: inTurn(requests), Label: servedFrom,
		})
		if err != nil {
			return err
		}
		on.Figure("P95 at "+short(rate)+" RPS", "ms", 800, 30, computed.Latency[all].P95)
		on.Figure("CPU of all processes a request, above idle", "ms", none, 10, computed.above(idle))
		on.Note("  of it the program", "ms", computed.above(idle, "program"))
		on.Note("  of it ClickHouse", "ms", computed.above(idle, "clickhouse"))
		on.FigureAtLeast("from ClickHouse", "%", none, 100, 100*computed.Share("clickhouse"))
		on.Figure("errors", "", 0, 0, float64(computed.Failed()))
		return nil
	}}
}

// above is the CPU of some processes for each request, in milliseconds, without what they use when
// nothing is asked of them.
func (p *Phase) above(idle *Phase, names ...string) float64 {
	perSecond := func(p *Phase) float64 { return p.CPU(names...) * float64(max(1, p.Requests)) / p.Seconds }
	return (perSecond(p) - perSecond(idle)) * p.Seconds / float64(max(1, p.Requests))
}

// Idle looks at the processes while nothing is asked of them.
func (on *Stage) Idle(ctx context.Context, name string, lasting time.Duration) (*Phase, error) {
	on.Tell("%s: %s", name, lasting)
	watch := on.watch(nil)
	timer := time.NewTimer(lasting)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		watch.end()
		return nil, ctx.Err()
	}
	p := &Phase{Name: name, Seconds: lasting.Seconds(), Latency: map[string]*Percentiles{all: {}}, Usage: watch.end()}
	on.report.Phases = append(on.report.Phases, p)
	return p, nil
}
