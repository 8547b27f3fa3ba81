package source

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNoPositionIsConfirmedBeforeKafkaHasAllThatWasBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &sink{
			metrics: newMetrics(prometheus.NewRegistry()), maxCount: 1000, maxBytes: 1 << 20,
			freed: make(chan struct{}, 1), failed: make(chan struct{}),
		}
		type record struct {
			transaction *transaction
			end         uint64 // of its transaction
		}
		var unacknowledged []record
		var last uint64
		for range rapid.IntRange(1, 20).Draw(t, "transactions") {
			txn := s.begin()
			last += rapid.Uint64Range(1, 9).Draw(t, "end")
			for range rapid.IntRange(0, 4).Draw(t, "records") {
				require.True(t, s.reserve(10))
				txn.pending++
				unacknowledged = append(unacknowledged, record{txn, last})
			}
			s.seal(txn, last)
			s.idle(last + 100) // a keepalive counts only when nothing is open
			for len(unacknowledged) > 0 && rapid.Bool().Draw(t, "acknowledge") {
				i := rapid.IntRange(0, len(unacknowledged)-1).Draw(t, "which") // partitions answer in any order
				s.acknowledged(&sarama.ProducerMessage{Metadata: reservation{
					transaction: unacknowledged[i].transaction,
					bytes:       10,
				}})
				unacknowledged = append(unacknowledged[:i], unacknowledged[i+1:]...)
			}
			for _, r := range unacknowledged {
				require.Less(t, s.position(), r.end)
			}
			if len(unacknowledged) == 0 {
				require.GreaterOrEqual(t, s.position(), last)
				last = s.position() // the next commit is behind the keepalive
			}
			require.Equal(t, len(unacknowledged) == 0, s.drained())
		}
	})
}

func TestTheSinkIsBoundedButLetsOneLargeRecordPass(t *testing.T) {
	s := &sink{metrics: newMetrics(prometheus.NewRegistry()), maxCount: 2, maxBytes: 100}
	require.True(t, s.reserve(1000), "alone it may be larger than the bound")
	require.False(t, s.reserve(1))
	s.count, s.bytes = 1, 50
	require.True(t, s.reserve(50))
	require.False(t, s.reserve(0), "the count is bounded too")
}
