package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

func TestABackoffDoublesUpToItsMostAndBeginsAnew(t *testing.T) {
	pause := worker.Backoff{Least: time.Microsecond, Most: 3 * time.Microsecond}
	for _, want := range []time.Duration{1, 2, 3, 3} {
		require.Equal(t, want*time.Microsecond, pause.Next())
		require.NoError(t, pause.Wait(t.Context()))
	}
	pause.Reset()
	require.Equal(t, time.Microsecond, pause.Next())
	ended, end := context.WithCancel(t.Context())
	end()
	pause = worker.Backoff{Least: time.Hour, Most: time.Hour}
	require.ErrorIs(t, pause.Wait(ended), context.Canceled)
}
