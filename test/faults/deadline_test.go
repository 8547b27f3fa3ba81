package faults

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	chclient "github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// An answer that has begun and comes a byte each 0.3 s takes a quarter of a minute.
func TestADeadlineEndsAnAnswerThatTrickles(t *testing.T) {
	s := stack.New(t)
	n := newNetwork(t, s)
	client := chclient.New(s.ClickHouseConfig, prometheus.NewRegistry())
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()))
	n.fail(clickhouse, trickling)
	defer n.heal()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond) // enough for the first byte
	defer cancel()
	began := time.Now()
	require.Error(t, client.Ping(ctx))
	require.Less(t, time.Since(began), 5*time.Second)
	n.heal()
	require.NoError(t, client.Ping(t.Context()), "and the connection is not used again")
}
