package kafka_test

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

func TestTheQueuePausesFetchingRatherThanGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paused := false
		q := kafka.NewQueue(10_000, core.SystemClock{}, func() { paused = true }, func() { paused = false })
		pushed, popped, held := int64(0), int64(0), 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				if paused {
					return
				}
				q.Push(&sarama.ConsumerMessage{
					Offset: pushed,
					Value:  make([]byte, rapid.IntRange(0, 3000).Draw(t, "size")),
				})
				pushed++
				held++
			},
			"pop": func(*rapid.T) {
				m, open := q.Pop()
				require.True(t, open)
				if m == nil {
					require.Zero(t, held)
					return
				}
				require.Equal(t, popped, m.Offset)
				popped++
				held--
			},
			"": func(*rapid.T) {
				require.LessOrEqual(t, q.Waiting(), int64(10_000+3200))
				if held == 0 {
					require.False(t, paused, "an empty queue must not wait for ever")
				}
			},
		})
		for held > 0 {
			m, _ := q.Pop()
			require.Equal(t, popped, m.Offset)
			popped++
			held--
		}
		q.Close()
		_, open := q.Pop()
		require.False(t, open)
	})
}

// The client keeps a pause while a partition is taken away and given back.
func TestAQueueThatEndsLeavesNoPartitionPaused(t *testing.T) {
	paused := false
	q := kafka.NewQueue(1000, core.SystemClock{}, func() { paused = true }, func() { paused = false })
	q.Push(&sarama.ConsumerMessage{Value: make([]byte, 2000)})
	require.True(t, paused)
	q.Close()
	require.False(t, paused)

	paused = true // by whoever has the partition next
	m, _ := q.Pop()
	require.NotNil(t, m)
	require.True(t, paused, "that is no longer ours")
}
