package reads

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// FeedComputed asks for the feeds of viewers who have no cached reserve, each once: when Redis holds
// nothing at all of them, so that what they saw is looked up in the raw events as well, and when it holds what
// they saw, as it does in the ordinary way.
func FeedComputed() harness.Bench {
	return harness.Bench{
		Name: "feed-computed", Says: "first pages of viewers without a cached reserve: from ClickHouse", AnyKeys: true,
		Run: func(ctx context.Context, on *harness.Environment) error {
			rate, lasting, warmUp := on.At(50), on.Lasting(30*time.Second), 5*time.Second
			program, err := on.Serve(ctx, "program", "api")
			if err != nil {
				return err
			}
			idle, err := on.Idle(ctx, "idle", 10*time.Second)
			if err != nil {
				return err
			}
			requests, err := on.Viewers(harness.FeedPath, 0, int(rate*(lasting+warmUp).Seconds())+2)
			if err != nil {
				return err
			}
			load := harness.Load{
				At: program.Addr, Rate: rate, WarmUp: warmUp, For: lasting, Request: harness.InTurn(requests),
				Label: harness.ServedFrom,
			}
			load.Name = "computed feed, Redis lost all"
			lost, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			if err := dropReserves(ctx, on); err != nil {
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
			asked := func(s harness.Series) float64 {
				return s.Sum("feedrank_breaker_calls_total", `dependency="clickhouse"`)
			}
			pages := after.Sum("feedrank_feed_requests_total") - before.Sum("feedrank_feed_requests_total")
			on.Figure("P95 at "+harness.Short(rate)+" RPS", "ms", 800, 30, computed.Latency[harness.All].P95)
			on.Figure("CPU of all processes a request, above idle", "ms", harness.None, 10, computed.Above(idle))
			on.Note("  of it the program", "ms", computed.Above(idle, "program"))
			on.Note("  of it ClickHouse", "ms", computed.Above(idle, "clickhouse"))
			on.Note("questions to ClickHouse a request", "", (asked(after)-asked(before))/max(1, pages))
			on.FigureAtLeast("from ClickHouse", "%", harness.None, 100, 100*computed.Share("clickhouse"))
			on.Note("when Redis lost all: P95", "ms", lost.Latency[harness.All].P95)
			on.Note("  CPU of all processes a request, above idle", "ms", lost.Above(idle))
			on.Figure("errors", "", 0, 0, float64(computed.Failed()+lost.Failed()))
			return nil
		},
	}
}

// dropReserves takes away every cached reserve, and leaves what viewers saw and hid.
func dropReserves(ctx context.Context, on *harness.Environment) error {
	conn, err := on.Redis.Conn()
	if err != nil {
		return err
	}
	return redis.Scan(ctx, conn, "feed:v1:*", func(node rueidis.Client, keys []string) error {
		commands := make(rueidis.Commands, len(keys))
		for i, key := range keys {
			commands[i] = node.B().Del().Key(key).Build()
		}
		for _, result := range node.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				return err
			}
		}
		return nil
	})
}
