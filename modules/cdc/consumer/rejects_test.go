package consumer

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func TestATableWhoseRecordsAllFailIsTold(t *testing.T) {
	core, logged := observer.New(zapcore.WarnLevel)
	metrics := newMetrics(prometheus.NewRegistry(), at(noon))
	r := newRejects(metrics.fails, zap.New(core))
	fails := func(table string) float64 { return testutil.ToFloat64(metrics.fails.WithLabelValues(table)) }
	refuse := func(table, reason string, times int) {
		for offset := range times {
			r.refused(table, &sarama.ConsumerMessage{Offset: int64(offset)}, envelope.Errorf(reason, "it is odd"))
		}
	}
	refuse("public.users", envelope.ReasonValue, rejectedFirst-1)
	require.NoError(t, r.probe(), "it may be an accident")
	require.Zero(t, fails("public.users"))
	refuse("public.users", envelope.ReasonValue, 1)
	require.ErrorContains(t, r.probe(), "table public.users: the last 3 records became dead letters, and none was copied: "+
		"value_does_not_fit: it is odd")
	require.EqualValues(t, 1, fails("public.users"))

	r.accepted("public.posts")
	refuse("public.posts", envelope.ReasonValue, rejectedRun-1)
	require.Zero(t, fails("public.posts"), "of a table that was read, more must be refused")
	refuse("public.posts", envelope.ReasonColumn, 1)
	require.EqualValues(t, 1, fails("public.posts"))

	r.accepted("public.users")
	r.accepted("public.posts")
	require.NoError(t, r.probe())
	require.Zero(t, fails("public.users")+fails("public.posts"))

	require.Equal(t, 3, logged.Len(), "the first of each reason of each table")
	require.Equal(t, "public.users", logged.All()[0].ContextMap()["table"])
	require.EqualValues(t, 0, logged.All()[0].ContextMap()["offset"])
}
