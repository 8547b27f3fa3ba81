package reads

import (
	"bytes"
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// FeedCached asks for the feeds of viewers whose reserves are in Redis: at a steady rate for the
// latency, then as fast as it goes, against a handler that writes the same bytes.
func FeedCached() harness.Bench {
	return harness.Bench{
		Name: "feed-cached", Says: "first pages of viewers whose reserve is in Redis", AnyKeys: true,
		Run: func(ctx context.Context, on *harness.Environment) error {
			const viewers = 2000
			program, err := on.Serve(ctx, "program", "api")
			if err != nil {
				return err
			}
			requests, err := on.Viewers(harness.FeedPath, 0, min(viewers, on.World.Users))
			if err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, requests); err != nil {
				return err
			}
			steady, err := on.Load(ctx, harness.Load{
				Name: "cached feed", At: program.Addr, Rate: on.At(1000), WarmUp: 5 * time.Second,
				For:     on.Lasting(30 * time.Second),
				Request: harness.InTurn(requests), Label: harness.ServedFrom,
			})
			if err != nil {
				return err
			}
			feed, echo, err := AgainstEcho(ctx, on, program, requests)
			if err != nil {
				return err
			}
			on.Figure("P95 at "+harness.Short(steady.Rate)+" RPS", "ms", 150, 5, steady.Latency[harness.All].P95)
			on.FigureAtLeast("throughput of the echo handler's", "%", harness.None, 50, 100*feed.PerSec/echo.PerSec)
			on.Note("CPU of the program a request, echo handler", "ms", echo.CPU("echo"))
			on.Note("CPU of the program a request, at its fastest", "ms", feed.CPU("program"))
			on.Note("CPU of all processes a request", "ms", steady.CPU())
			on.FigureAtLeast("from the cache", "%", 90, 95, 100*steady.Share("cache"))
			on.Figure("errors", "", 0, 0, float64(steady.Failed()+feed.Failed()))
			on.Figure("api role resident", "MB", harness.None, 300, float64(steady.Usage["program"].MemoryBytes)/1e6)
			on.Figure("ready after start", "s", harness.None, 2, program.Ready.Seconds())
			return nil
		},
	}
}

// AgainstEcho finds the throughput of the program and, right after it, of the echo handler.
func AgainstEcho(ctx context.Context, on *harness.Environment, program *harness.Program, requests []harness.Request,
) (feed, echo *harness.Phase, err error) {
	const connections = 16
	lasting := on.Lasting(10 * time.Second)
	if feed, err = on.Load(ctx, harness.Load{
		Name: "cached feed, at its fastest", At: program.Addr, Connections: connections, WarmUp: time.Second,
		For:     lasting,
		Request: harness.InTurn(requests), Label: harness.ServedFrom,
	}); err != nil {
		return nil, nil, err
	}
	c := harness.NewClient(program.Addr)
	defer c.Close()
	var body []byte
	c.Do(&requests[0], func(b []byte) { body = bytes.Clone(b) })
	server, err := on.Echo(ctx, body)
	if err != nil {
		return nil, nil, err
	}
	echo, err = on.Load(ctx, harness.Load{
		Name: "echo handler, at its fastest", At: server.Addr, Connections: connections, WarmUp: time.Second,
		For:     lasting,
		Request: harness.InTurn(requests),
	})
	return feed, echo, err
}
