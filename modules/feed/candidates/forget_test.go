package candidates

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/wait"
)

func TestNobodyJoinsWhatWasBegunBeforeADrop(t *testing.T) {
	workers := worker.NewGroup(worker.FailureFunc(func(_ string, err error) { t.Error(err) }))
	f := newSingleflight(workers)
	begin := func(viewer core.ID) (flight *Flight, finish chan struct{}) {
		finish = make(chan struct{})
		return f.join(t.Context(), flightKey{viewer: viewer}, func(context.Context) (*Built, error) {
			<-finish
			return &Built{}, nil
		}, func(context.Context, *Built) {}), finish
	}
	first, finishFirst := begin(1)
	other, finishOther := begin(2)
	again, _ := begin(1)
	require.Same(t, first, again)

	f.forget(func(viewer core.ID) bool { return viewer == 1 })
	second, finishSecond := begin(1)
	require.NotSame(t, first, second)
	again, _ = begin(2)
	require.Same(t, other, again, "nobody dropped it")
	require.Equal(t, 3, f.under(), "all are work")

	close(finishFirst)
	wait.Until(t, func() bool { return f.under() == 2 })
	again, _ = begin(1)
	require.Same(t, second, again, "the end of the first is not the end of the second")
	close(finishSecond)
	close(finishOther)
	require.NoError(t, workers.Stop(t.Context()))
	require.Zero(t, f.under())
}
