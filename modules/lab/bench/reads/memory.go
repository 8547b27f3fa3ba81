package reads

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/bench/writes"
)

// Memory is what an api replica takes: at start, following what is written, and under load. Events are written
// all the time, by people at random posts: each that is written to is what the hot set must read again.
func Memory() harness.Bench {
	return harness.Bench{
		Name: "memory",
		Says: "an api replica: ready, the hot set's load, upkeep and bytes a post, memory under load",

		AnyKeys: true,
		Run: func(ctx context.Context, on *harness.Environment) error {
			if _, err := on.Serve(ctx, "consumer", "events-consumer"); err != nil {
				return err
			}
			if _, err := writes.Applied(ctx, on, 1000); err != nil { // the partitions are taken, their filters filled
				return err
			}
			written, err := writes.Trickle(ctx, on)
			if err != nil {
				return err
			}
			program, err := on.Serve(ctx, "program", "api")
			if err != nil {
				return err
			}
			if err := harness.Until(ctx, 20*time.Millisecond, "the hot set is loaded", func() (bool, error) {
				m, err := program.Metrics(ctx)
				return m.Sum("feedrank_feed_hot_step_seconds_count", `step="load"`) > 0, err
			}); err != nil {
				return err
			}
			// with two recounts
			following, err := on.Idle(ctx, harness.Short(written)+" events/s, one replica follows",
				on.Lasting(125*time.Second))
			if err != nil {
				return err
			}
			m, err := program.Metrics(ctx)
			if err != nil {
				return err
			}
			requests, err := on.Viewers(harness.FeedPath, 0, min(2000, on.World.Users))
			if err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, requests); err != nil {
				return err
			}
			busy, err := on.Load(ctx, harness.Load{
				Name: "cached feed", At: program.Addr, Rate: on.At(1000), WarmUp: 2 * time.Second,
				For:     on.Lasting(30 * time.Second),
				Request: harness.InTurn(requests), Label: harness.ServedFrom,
			})
			if err != nil {
				return err
			}
			posts := m.Sum("feedrank_feed_hot_posts")
			on.Figure("ready after start", "s", harness.None, 2, program.Ready.Seconds())
			on.Figure("loading the hot set", "s", harness.None, 2, hotStep(m, "load"))
			on.Figure("keeping it current", "% of a core", harness.None, 5, 100*following.Usage["program"].Cores)
			on.Note("  events a second meanwhile", "", written)
			on.Note("  a refresh, on average", "ms", 1000*hotStep(m, "refresh"))
			on.Note("  a recount of the day, on average", "ms", 1000*hotStep(m, "recount"))
			asked := m.Sum("feedrank_feed_hot_step_seconds_sum", `step="refresh"`) +
				m.Sum("feedrank_feed_hot_step_seconds_sum", `step="recount"`)
			on.Note("  of ClickHouse for it, at most: it has one thread", "% of a core", 100*asked/following.Seconds)
			on.Figure("hot set", "bytes a post", harness.None, 150, m.Sum("feedrank_feed_hot_bytes")/max(1, posts))
			on.Note("  posts", "", posts)
			on.Note("resident, idle", "MB", float64(following.Usage["program"].MemoryBytes)/1e6)
			on.Figure("resident at "+harness.Short(busy.Rate)+" RPS", "MB", harness.None, 300,
				float64(busy.Usage["program"].MemoryBytes)/1e6)
			on.Figure("errors", "", 0, 0, float64(busy.Failed()))
			return nil
		},
	}
}

// hotStep is how long a step of the hot set took on average, in seconds.
func hotStep(m harness.Series, step string) float64 {
	label := `step="` + step + `"`
	return m.Sum("feedrank_feed_hot_step_seconds_sum", label) /
		max(1, m.Sum("feedrank_feed_hot_step_seconds_count", label))
}
