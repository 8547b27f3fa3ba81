package bench

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/bench/reads"
	"github.com/feedrank/feedrank/modules/lab/bench/writes"
)

// quick is small versions of the others, for every change: ratios and counts that do not hang on the
// machine.
func quick() harness.Bench {
	return harness.Bench{
		Name: "quick", Says: "ratios and counts that do not depend on the machine, in three minutes at most",
		Run: func(ctx context.Context, on *harness.Environment) error {
			on.For = on.Lasting(5 * time.Second)
			if err := quickFeed(ctx, on); err != nil {
				return err
			}
			consumer, err := on.Serve(ctx, "consumer", "events-consumer")
			if err != nil {
				return err
			}
			if _, err := writes.Applied(ctx, on, 1000); err != nil {
				return err
			}
			const events = 200_000
			p, err := writes.Applied(ctx, on, events)
			if err != nil {
				return err
			}
			if err := consumer.Stop(); err != nil {
				return err
			}
			raw, err := writes.RawInserts(ctx, on)
			if err != nil {
				return err
			}
			on.Note("CPU of the consumer an event, for each of ch-go alone", "×",
				raw.PerCPU*p.Usage["consumer"].CPUSeconds/events)
			return quickViews(ctx, on)
		},
	}
}

// quickFeed computes the feeds of some viewers, and asks for them again and again.
func quickFeed(ctx context.Context, on *harness.Environment) error {
	program, err := on.Serve(ctx, "program", "api")
	if err != nil {
		return err
	}
	requests, err := on.Viewers(harness.FeedPath, 0, min(200, on.World.Users))
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
	feed, echo, err := reads.AgainstEcho(ctx, on, program, requests)
	if err != nil {
		return err
	}
	asked, err := program.Metrics(ctx)
	if err != nil {
		return err
	}
	const calls, mallocs = "feedrank_breaker_calls_total", "go_memstats_mallocs_total"
	of := func(from, to harness.Series, name string, pages float64, pairs ...string) float64 {
		return (to.Sum(name, pairs...) - from.Sum(name, pairs...)) / pages
	}
	pages := asked.Sum("feedrank_feed_requests_total") - computed.Sum("feedrank_feed_requests_total")
	on.FigureAtLeast("throughput of the echo handler's", "%", harness.None, 50, 100*feed.PerSec/echo.PerSec)
	on.Note("allocations a cached page, the whole process", "", of(computed, asked, mallocs, pages))
	on.Note("questions to Redis a cached page", "", of(computed, asked, calls, pages, `dependency="redis"`))
	on.Note("questions to ClickHouse a computed page", "",
		of(started, computed, calls, float64(len(requests)), `dependency="clickhouse"`))
	on.FigureAtLeast("from the cache", "%", 90, 95, 100*feed.Share("cache"))
	on.Figure("errors", "", 0, 0, float64(feed.Failed()))
	return program.Stop()
}

// quickViews tells how much less of the events the views read.
func quickViews(ctx context.Context, on *harness.Environment) error {
	for _, q := range reads.Questions(on) {
		if !q.Bounded {
			continue
		}
		view, rows, err := reads.Ask(ctx, on, q.Name, q.View, q.Params, 20, time.Second)
		if err != nil {
			return err
		}
		raw, rawRows, err := reads.Ask(ctx, on, q.Name+", raw events", q.Raw, q.Params, 5, time.Second)
		if err != nil {
			return err
		}
		on.Note(q.Name+": rows read", "", float64(rows))
		on.Note("  raw events: rows", "×", float64(rawRows)/float64(max(1, rows)))
		on.Note("  raw events: time", "×", raw.P50/max(view.P50, 0.001))
	}
	return nil
}
