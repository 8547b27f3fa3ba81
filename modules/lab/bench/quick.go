package bench

import (
	"context"
	"time"
)

// quick is small versions of the others, for every change: ratios and counts that do not hang on the
// machine.
func quick() Bench {
	return Bench{
		Name: "quick", Says: "ratios and counts that do not depend on the machine, in three minutes at most",
		Run: func(ctx context.Context, on *Stage) error {
			on.For = on.lasting(5 * time.Second)
			if err := on.quickFeed(ctx); err != nil {
				return err
			}
			consumer, err := on.Serve(ctx, "consumer", "events-consumer")
			if err != nil {
				return err
			}
			if _, err := on.applied(ctx, 1000); err != nil {
				return err
			}
			const events = 200_000
			p, err := on.applied(ctx, events)
			if err != nil {
				return err
			}
			if err := consumer.Stop(); err != nil {
				return err
			}
			raw, err := on.rawInserts(ctx)
			if err != nil {
				return err
			}
			on.Note("CPU of the consumer an event, for each of ch-go alone", "×",
				raw.perCPU*p.Usage["consumer"].CPUSeconds/events)
			return on.quickViews(ctx)
		},
	}
}

// quickFeed computes the feeds of some viewers, and asks for them again and again.
func (on *Stage) quickFeed(ctx context.Context) error {
	program, err := on.Serve(ctx, "program", "api")
	if err != nil {
		return err
	}
	requests, err := on.Viewers(feedPath, 0, min(200, on.World.Users))
	if err != nil {
		return err
	}
	started, err := program.Metrics(ctx)
	if err != nil {
		return err
	}
	if err := on.Each(ctx, program.Addr, 2, requests); err != nil {
		return err
	}
	computed, err := program.Metrics(ctx)
	if err != nil {
		return err
	}
	feed, echo, err := on.againstEcho(ctx, program, requests)
	if err != nil {
		return err
	}
	asked, err := program.Metrics(ctx)
	if err != nil {
		return err
	}
	const calls, mallocs = "feedrank_breaker_calls_total", "go_memstats_mallocs_total"
	of := func(from, to Series, name string, pages float64, pairs ...string) float64 {
		return (to.Sum(name, pairs...) - from.Sum(name, pairs...)) / pages
	}
	pages := asked.Sum("feedrank_feed_requests_total") - computed.Sum("feedrank_feed_requests_total")
	on.FigureAtLeast("throughput of the echo handler's", "%", none, 50, 100*feed.PerSec/echo.PerSec)
	on.Note("allocations a cached page, the whole process", "", of(computed, asked, mallocs, pages))
	on.Note("questions to Redis a cached page", "", of(computed, asked, calls, pages, `dependency="redis"`))
	on.Note("questions to ClickHouse a computed page", "",
		of(started, computed, calls, float64(len(requests)), `dependency="clickhouse"`))
	on.FigureAtLeast("from the cache", "%", 90, 95, 100*feed.Share("cache"))
	on.Figure("errors", "", 0, 0, float64(feed.Failed()))
	return program.Stop()
}

// quickViews tells how much less of the events the views read.
func (on *Stage) quickViews(ctx context.Context) error {
	for _, q := range on.questions() {
		if !q.bounded {
			continue
		}
		view, rows, err := on.ask(ctx, q.name, q.view, q.params, 20, time.Second)
		if err != nil {
			return err
		}
		raw, rawRows, err := on.ask(ctx, q.name+", raw events", q.raw, q.params, 5, time.Second)
		if err != nil {
			return err
		}
		on.Note(q.name+": rows read", "", float64(rows))
		on.Note("  raw events: rows", "×", float64(rawRows)/float64(max(1, rows)))
		on.Note("  raw events: time", "×", raw.P50/max(view.P50, 0.001))
	}
	return nil
}
