package faults

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// fault is what is done to a server, and undone.
type fault struct {
	name  string
	begin func(context.Context, harness.Server) (end func(context.Context) error, err error)
}

var faults = []fault{
	{"killed", func(_ context.Context, s harness.Server) (func(context.Context) error, error) {
		return s.Start, s.Kill()
	}},
	{"frozen", func(_ context.Context, s harness.Server) (func(context.Context) error, error) {
		return func(context.Context) error { return s.Thaw() }, s.Freeze()
	}},
	{"slow", slowed},
}

// A slow server gets a sixth of the time: it stands for a while, and then goes on for a while.
const (
	slowStands = 250 * time.Millisecond
	slowRuns   = 50 * time.Millisecond
)

func slowed(ctx context.Context, s harness.Server) (func(context.Context) error, error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			if err = s.Freeze(); err == nil {
				_ = worker.Pause(ctx, slowStands)
				err = s.Thaw()
			}
			_ = worker.Pause(ctx, slowRuns)
		}
		done <- err
	}()
	return func(context.Context) error { cancel(); return <-done }, nil
}
