package bench

import (
	"bytes"
	"context"
	"time"
)

const feedPath = "/api/v1/feed"

// feedCached asks for the feeds of viewers whose reserves are in Redis: at a steady rate for the
// latency, then as fast as it goes, against a handler that writes the same bytes.
func feedCached() Bench {
	return Bench{
		Name: "feed-cached", Says: "first pages of viewers whose reserve is in Redis",
		Run: func(ctx context.Context, on *Stage) error {
			const viewers = 2000
			program, err := on.Serve(ctx, "program", "api")
			if err != nil {
				return err
			}
			requests, err := on.Viewers(feedPath, 0, min(viewers, on.World.Users))
			if err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, requests); err != nil {
				return err
			}
			steady, err := on.Load(ctx, Load{
				Name: "cached feed", At: program.Addr, Rate: on.at(1000), WarmUp: 5 * time.Second,
				For:     on.lasting(30 * time.Second),
				Request: inTurn(requests), Label: servedFrom,
			})
			if err != nil {
				return err
			}
			feed, echo, err := on.againstEcho(ctx, program, requests)
			if err != nil {
				return err
			}
			on.Figure("P95 at "+short(steady.Rate)+" RPS", "ms", 150, 5, steady.Latency[all].P95)
			on.FigureAtLeast("throughput of the echo handler's", "%", none, 50, 100*feed.PerSec/echo.PerSec)
			on.Note("CPU of the program a request, echo handler", "ms", echo.CPU("echo"))
			on.Note("CPU of the program a request, at its fastest", "ms", feed.CPU("program"))
			on.Note("CPU of all processes a request", "ms", steady.CPU())
			on.FigureAtLeast("from the cache", "%", 90, 95, 100*steady.Share("cache"))
			on.Figure("errors", "", 0, 0, float64(steady.Failed()+feed.Failed()))
			on.Figure("api role resident", "MB", none, 300, float64(steady.Usage["program"].MemoryBytes)/1e6)
			on.Figure("ready after start", "s", none, 2, program.Ready.Seconds())
			return nil
		},
	}
}

// againstEcho finds the throughput of the program and, right after it, of the echo handler.
func (on *Stage) againstEcho(ctx context.Context, program *Program, requests []Request) (feed, echo *Phase, err error) {
	const connections = 16
	lasting := on.lasting(10 * time.Second)
	if feed, err = on.Load(ctx, Load{
		Name: "cached feed, at its fastest", At: program.Addr, Connections: connections, WarmUp: time.Second,
		For:     lasting,
		Request: inTurn(requests), Label: servedFrom,
	}); err != nil {
		return nil, nil, err
	}
	c := newClient(program.Addr)
	defer c.http.CloseIdleConnections()
	var body []byte
	c.do(&requests[0], func(b []byte) { body = bytes.Clone(b) })
	server, err := on.Echo(ctx, body)
	if err != nil {
		return nil, nil, err
	}
	echo, err = on.Load(ctx, Load{
		Name: "echo handler, at its fastest", At: server.Addr, Connections: connections, WarmUp: time.Second,
		For:     lasting,
		Request: inTurn(requests),
	})
	return feed, echo, err
}
