package bench

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// feedComputed asks for the feeds of viewers who have no cached reserve, each once: when Redis holds
// nothing at all of them, so that what they saw is looked up in the raw events as well, and when it holds what
// they saw, as it does in the ordinary way.
func feedComputed() Bench {
	return Bench{
		Name: "feed-computed", Says: "first pages of viewers without a cached reserve: from ClickHouse",
		Run: func(ctx context.Context, on *Stage) error {
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
			load := Load{
				At: program.Addr, Rate: rate, WarmUp: warmUp, For: lasting, Request: inTurn(requests),
				Label: servedFrom,
			}
			load.Name = "computed feed, Redis lost all"
			lost, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			if err := on.dropReserves(ctx); err != nil {
				return err
			}
			before, err := program.Metrics(ctx)
			if err != nil {
				return err
			}
			load.Name = "computed feed"
			computed, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			after, err := program.Metrics(ctx)
			if err != nil {
				return err
			}
			asked := func(s Series) float64 { return s.Sum("feedrank_breaker_calls_total", `dependency="clickhouse"`) }
			pages := after.Sum("feedrank_feed_requests_total") - before.Sum("feedrank_feed_requests_total")
			on.Figure("P95 at "+short(rate)+" RPS", "ms", 800, 30, computed.Latency[all].P95)
			on.Figure("CPU of all processes a request, above idle", "ms", none, 10, computed.above(idle))
			on.Note("  of it the program", "ms", computed.above(idle, "program"))
			on.Note("  of it ClickHouse", "ms", computed.above(idle, "clickhouse"))
			on.Note("questions to ClickHouse a request", "", (asked(after)-asked(before))/max(1, pages))
			on.FigureAtLeast("from ClickHouse", "%", none, 100, 100*computed.Share("clickhouse"))
			on.Note("when Redis lost all: P95", "ms", lost.Latency[all].P95)
			on.Note("  CPU of all processes a request, above idle", "ms", lost.above(idle))
			on.Figure("errors", "", 0, 0, float64(computed.Failed()+lost.Failed()))
			return nil
		},
	}
}

// dropReserves takes away every cached reserve, and leaves what viewers saw and hid.
func (on *Stage) dropReserves(ctx context.Context) error {
	conn, err := on.Redis.Conn()
	if err != nil {
		return err
	}
	for at := uint64(0); ; {
		page, err := conn.Do(ctx, conn.B().Scan().Cursor(at).Match("feed:v1:*").Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		commands := make(rueidis.Commands, 0, len(page.Elements))
		for _, key := range page.Elements {
			commands = append(commands, conn.B().Del().Key(key).Build())
		}
		for _, result := range conn.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				return err
			}
		}
		if at = page.Cursor; at == 0 {
			return nil
		}
	}
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
	if err := worker.Pause(ctx, lasting); err != nil {
		watch.end()
		return nil, err
	}
	p := &Phase{Name: name, Seconds: lasting.Seconds(), Latency: map[string]*Percentiles{all: {}}, Usage: watch.end()}
	on.report.Phases = append(on.report.Phases, p)
	return p, nil
}
