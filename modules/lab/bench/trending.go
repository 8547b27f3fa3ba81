package bench

import (
	"context"
	"fmt"
	"time"
)

// trending asks for what is popular, in all windows.
func trending() Bench {
	return Bench{
		Name: "trending", Says: "trending posts of 1 h, 24 h and 7 d",
		Run: func(ctx context.Context, on *Stage) error {
			program, err := on.Serve(ctx, "program", "api,jobs")
			if err != nil {
				return err
			}
			if err := on.Refilled(ctx, program); err != nil {
				return err
			}
			var requests []Request
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
			steady, err := on.Load(ctx, Load{
				Name: "trending", At: program.Addr, Rate: on.at(1000), WarmUp: 5 * time.Second,
				For:     on.lasting(30 * time.Second),
				Request: func(n int) Request { return requests[n*501%len(requests)] }, Label: servedFrom,
			})
			if err != nil {
				return err
			}
			on.Figure("P95 at "+short(steady.Rate)+" RPS", "ms", 300, 5, steady.Latency[all].P95)
			on.Note("CPU of all processes a request", "ms", steady.CPU())
			on.Figure("errors", "", 0, 0, float64(steady.Failed()))
			return nil
		},
	}
}
