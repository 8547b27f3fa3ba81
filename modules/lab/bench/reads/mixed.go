package reads

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// Mixed is everything at once, for long: people at their feeds who tell what they saw, and some who look
// at what is popular and whom to follow, on a program with every role. Who came in the half hour before has
// looked once already, as in feed-mixed.
func Mixed() harness.Bench {
	return harness.Bench{
		Name: "mixed", AnyKeys: true,
		Says: "feeds, events, trending and suggestions together, 1k requests a second for 10 minutes",
		Run: func(ctx context.Context, on *harness.Environment) error {
			program, err := on.Serve(ctx, "program", "all")
			if err != nil {
				return err
			}
			if err := on.Refilled(ctx, program); err != nil {
				return err
			}
			rate := on.At(1000)
			people, err := on.Viewers(harness.FeedPath, 0, on.World.Users)
			if err != nil {
				return err
			}
			visits := visits(on, people, 200_000, rate)
			if err := on.Each(ctx, program.Addr, 4, earlier(on, people, rate/looks)); err != nil {
				return err
			}
			for i := range visits { // of 100: 81 feeds, 10 times events, 6 trending, 3 suggestions
				switch {
				case visits[i].Kind != "feed":
				case i%16 == 5:
					visits[i] = harness.Request{
						Kind: "trending", Path: "/api/v1/feed/trending?limit=50",
						Token: visits[i].Token,
					}
				case i%32 == 11:
					visits[i] = harness.Request{
						Kind: "suggestions", Path: "/api/v1/discover/suggested-users",
						Token: visits[i].Token,
					}
				}
			}
			warmUp := min(time.Minute, on.Lasting(time.Minute))
			load, err := on.Load(ctx, harness.Load{
				Name: "mixed", At: program.Addr, Rate: rate, WarmUp: warmUp, For: on.Lasting(10 * time.Minute),
				Request: harness.InTurn(visits), Label: harness.ServedFrom, Labelled: "feed",
			})
			if err != nil {
				return err
			}
			on.Figure("errors", "", 0, 0, float64(load.Failed()))
			on.Figure("P95 of all at "+harness.Short(rate)+" RPS", "ms", harness.None, 25,
				load.Latency[harness.All].P95)
			for _, kind := range []string{"feed", "events", "trending", "suggestions"} {
				if l := load.Latency[kind]; l != nil {
					on.Note("  P95 of "+kind, "ms", l.P95)
				}
			}
			on.FigureAtLeast("pages from the cache (stale is none)", "%", 90, 95, 100*load.Share("cache"))
			on.Note("CPU of all processes a request", "ms", load.CPU())
			on.Note("resident", "MB", float64(load.Usage["program"].MemoryBytes)/1e6)
			return nil
		},
	}
}
