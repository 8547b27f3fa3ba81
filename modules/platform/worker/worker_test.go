package worker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStopCancelsAndWaits(t *testing.T) {
	ended := false
	g := worker.NewGroup(nil)
	g.Go("loop", func(ctx context.Context) error {
		<-ctx.Done()
		ended = true
		return ctx.Err()
	})
	require.NoError(t, g.Stop(t.Context()))
	require.True(t, ended)
}

func TestAWorkerThatEndsInErrorOrPanicIsAFailure(t *testing.T) {
	for name, run := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errors.New("boom") },
		"panic": func(context.Context) error { panic("boom") },
	} {
		failed := make(chan error, 1)
		g := worker.NewGroup(worker.FailureFunc(func(worker string, err error) {
			require.Equal(t, name, worker)
			failed <- err
		}))
		g.Go(name, run)
		require.ErrorContains(t, <-failed, "boom")
		require.NoError(t, g.Stop(t.Context()))
	}
}

func TestStopGivesUpWhenItsContextEnds(t *testing.T) {
	release := make(chan struct{})
	g := worker.NewGroup(nil)
	g.Go("stubborn", func(context.Context) error { <-release; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, g.Stop(ctx), context.Canceled)
	close(release)
	require.NoError(t, g.Stop(t.Context()))
}
