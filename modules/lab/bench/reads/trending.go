package reads

import (
	"context"
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// Trending asks for what is popular, in all windows.
func Trending() harness.Bench {
	return harness.Bench{
		Name: "trending", Says: "trending posts of 1 h, 24 h and 7 d",
		Run: func(ctx context.Context, on *harness.Environment) error {
			program, err := on.Serve(ctx, "program", "api,jobs")
			if err != nil {
				return err
			}
			if err := on.Refilled(ctx, program); err != nil {
				return err
			}
			var requests []harness.Request
			for i, window := range []string{"24h", "1h", "7d"} {
				of, err := on.Viewers(fmt.Sprintf("/api/v1/feed/trending?limit=50&window=%s", window), 500*i, 500)
				if err != nil {
					return err
				}
				for j := range of {
					of[j].Kind = window
				}
				requests = append(requests, of...)
			}
			// A list is filtered by whom the viewer blocks and what they hid, which is cached with the reserve: a
			// viewer who has none costs a computed feed, which is another bench.
			if err := on.Each(ctx, program.Addr, 4, requests); err != nil {
				return err
			}
			steady, err := on.Load(ctx, harness.Load{
				Name: "trending", At: program.Addr, Rate: on.At(1000), WarmUp: 5 * time.Second,
				For:     on.Lasting(30 * time.Second),
				Request: func(n int) harness.Request { return requests[n*501%len(requests)] },
				Label:   harness.ServedFrom,
			})
			if err != nil {
				return err
			}
			on.Figure("P95 at "+harness.Short(steady.Rate)+" RPS", "ms", 300, 5, steady.Latency[harness.All].P95)
			on.Note("CPU of all processes a request", "ms", steady.CPU())
			on.Figure("errors", "", 0, 0, float64(steady.Failed()))
			return nil
		},
	}
}
