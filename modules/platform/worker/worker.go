// Package worker owns goroutines: it starts them, cancels them and waits for them.
package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Failure is told when a worker ended for good although nobody stopped it. The program then stops:
// a replica that works half is worse than one that is restarted.
type Failure interface {
	Fail(worker string, err error)
}

// FailureFunc is a function as a Failure.
type FailureFunc func(worker string, err error)

// Fail calls the function.
func (f FailureFunc) Fail(worker string, err error) { f(worker, err) }

// Group owns the goroutines of one component. Its context is its own: it outlives the start context
// of the program and ends with Stop.
type Group struct {
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	failure Failure
}

// NewGroup makes an empty group. failure may be nil where workers cannot end by themselves.
func NewGroup(failure Failure) *Group {
	ctx, cancel := context.WithCancel(context.Background())
	return &Group{ctx: ctx, cancel: cancel, failure: failure}
}

// Context ends when the group is stopped.
func (g *Group) Context() context.Context { return g.ctx }

// Go starts a goroutine. An error or a panic of run, unless the group is being stopped, is a Failure.
func (g *Group) Go(name string, run func(context.Context) error) {
	g.wg.Go(func() {
		err := guarded(g.ctx, run)
		if err == nil || g.ctx.Err() != nil || g.failure == nil {
			return
		}
		g.failure.Fail(name, err)
	})
}

// Stop cancels the goroutines and waits for them, at most until ctx ends.
func (g *Group) Stop(ctx context.Context) error {
	g.cancel()
	done := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("workers still running: %w", context.Cause(ctx))
	}
}

// ErrPanic wraps the value and the stack of a panic in a worker.
var ErrPanic = errors.New("panic")

func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return run(ctx)
}
