package seed

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

// Run makes a world and writes it to the sinks: first the app's rows, then the events, so that no
// event is about a post that is not there. It shows its progress on out and ends early with ctx.
func Run(ctx context.Context, opts Options, sinks Sinks, clock core.Clock, out io.Writer) (Report, error) {
	if opts.World.Now.IsZero() {
		opts.World.Now = clock.Now()
	}
	if err := opts.Validate(); err != nil {
		return Report{}, err
	}
	w, err := world.New(opts.World)
	if err != nil {
		return Report{}, err
	}
	started := time.Now()
	meter := newMeter(out)
	report := Report{Seed: opts.World.Seed}
	if sinks.Postgres != nil {
		if err := load(ctx, opts, w, sinks, meter); err != nil {
			return report.finish(meter, started), fmt.Errorf("seed PostgreSQL: %w", err)
		}
	}
	if sinks.Events != nil {
		if err := send(ctx, opts, w, sinks.Events, meter); err != nil {
			return report.finish(meter, started), fmt.Errorf("seed events: %w", err)
		}
	}
	return report.finish(meter, started), nil
}

// send hands the events over in batches of whole sessions.
func send(ctx context.Context, opts Options, w *world.World, sink EventSink, meter *meter) error {
	stage := meter.begin("events", w.Count().Events)
	defer stage.end()
	batch := make([]core.Event, 0, opts.EventBatch+100)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := sink.Send(ctx, batch); err != nil {
			return fmt.Errorf("after %d events: %w", stage.done, err)
		}
		stage.add(len(batch))
		batch = batch[:0]
		return nil
	}
	for session := range w.Sessions() {
		if batch = append(batch, session...); len(batch) < opts.EventBatch {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return flush()
}
