package consumer

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// TestWhileClickHouseIsAwayTheLagGrowsAndFetchingPauses has more come than a queue holds, and then another consumer.
func TestWhileClickHouseIsAwayTheLagGrowsAndFetchingPauses(t *testing.T) {
	t.Parallel()
	w, own := newWorld(t), stack.OwnClickHouse(t)
	w.ClickHouse, w.ClickHouseConfig = own.ClickHouse, own.ClickHouseConfig
	w.cfg.Batch.QueueBytes, w.cfg.Batch.MaxBytes = 64<<10, 32<<10
	reg := prometheus.NewRegistry()
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, nil, reg, zaptest.NewLogger(t))
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	all := stack.RandomEvents(newRand(5), 6000)
	w.send(t, all[:100]...)
	w.requireExact(t, 100)

	require.NoError(t, own.Servers.ClickHouse.Kill())
	w.send(t, all[100:]...)
	lag := func() float64 { return gathered(t, reg, "feedrank_events_lag_seconds") }
	wait.Until(t, func() bool { return lag() > 1 })
	before := lag()
	wait.Until(t, func() bool { return lag() > before+1 }, "it stands still")
	wait.Until(t, func() bool { return testutil.ToFloat64(c.shared.Metrics.Pauses) >= float64(w.cfg.Partitions) })
	require.Positive(t, gathered(t, reg, "feedrank_events_lag_records"))
	require.Less(t, gathered(t, reg, "feedrank_events_queue_bytes"), 1e6,
		"no partition holds more than its queue and one fetch")

	// Partitions that stay come back with an empty queue: what was paused must not stay so.
	w.consume(t)
	wait.Until(t, func() bool { return testutil.ToFloat64(c.shared.Metrics.Rebalances) > 1 })

	require.NoError(t, own.Servers.ClickHouse.Start(t.Context()))
	w.requireExact(t, len(all))
	wait.Until(t, func() bool { return lag() == 0 && gathered(t, reg, "feedrank_events_lag_records") == 0 })
}

// gathered is the greatest value of a gauge.
func gathered(t *testing.T, reg *prometheus.Registry, name string) (greatest float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				greatest = max(greatest, m.GetGauge().GetValue())
			}
		}
	}
	return greatest
}
