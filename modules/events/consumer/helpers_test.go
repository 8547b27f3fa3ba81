package consumer

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

func topicSpecs(log codec.Log, k kafka.Config) []kafka.TopicSpec {
	return []kafka.TopicSpec{{Name: k.Topic(log.Topic), Partitions: log.Partitions, Retention: 72 * time.Hour}}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// value is the sum of a metric over all its labels, or of those with one label.
func value(t *testing.T, reg *prometheus.Registry, name string, label ...string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (len(label) == 0 || m.GetLabel()[0].GetValue() == label[0]) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
