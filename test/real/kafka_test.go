//go:build real

package real_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/wait"
)

// seen counts values as they arrive.
type seen struct {
	mu    sync.Mutex
	times map[string]int
}

func (s *seen) add(m *sarama.ConsumerMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == nil {
		s.times = map[string]int{}
	}
	s.times[string(m.Value)]++
}

// repeats is how often values came again; -1 while some are missing.
func (s *seen) repeats(values int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.times) < values {
		return -1
	}
	total := 0
	for _, n := range s.times {
		total += n
	}
	return total - values
}

func TestNothingAcknowledgedIsLostWhenTheBrokerIsKilled(t *testing.T) {
	s, c := fresh(t)
	topic := c.KafkaConfig.Topic("numbers")
	for _, want := range []string{"create", "keep"} {
		changes, err := kafka.EnsureTopics(c.KafkaConfig,
			[]kafka.TopicSpec{{Name: topic, Partitions: 4, Retention: time.Hour}}, false)
		require.NoError(t, err)
		require.Equal(t, want, changes[0].Action)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var tailed, grouped seen
	var readers sync.WaitGroup
	log := zaptest.NewLogger(t)
	readers.Go(func() {
		// ends with ctx
		_ = kafka.NewTail(c.KafkaConfig, []string{topic}, time.Now().Add(-time.Hour), tailed.add, log).Run(ctx)
	})
	// Two members, so that there is a rebalance.
	for range 2 {
		readers.Go(func() {
			// likewise
			_ = kafka.RunGroup(ctx, c.KafkaConfig, "readers", []string{topic}, committing{&grouped}, core.SystemClock{},
				log)
		})
	}

	const values, kills = 3000, 2
	producer := kafka.NewProducer(c.KafkaConfig)
	for i := range values {
		if i%(values/(kills+1)) == values/(kills+1)-1 && i < values-1 {
			require.NoError(t, s.Kafka.Kill())
			readers.Go(func() { _ = s.Kafka.Start(t.Context()) }) // a failure shows in the sends
		}
		message := &sarama.ProducerMessage{
			Topic: topic, Key: sarama.StringEncoder(strconv.Itoa(i)),
			Value: sarama.StringEncoder(strconv.Itoa(i)),
		}
		// An error is an unknown outcome: the same value is sent again.
		wait.Until(t, func() bool { return producer.Send(t.Context(), message) == nil })
	}
	require.NoError(t, producer.Close())
	wait.Until(t, func() bool { return tailed.repeats(values) >= 0 })
	wait.Until(t, func() bool { return grouped.repeats(values) >= 0 })
	cancel()
	readers.Wait()
	t.Logf("%d values, %d kills: the log repeats %d, the group %d", values, kills, tailed.repeats(values),
		grouped.repeats(values))
	require.Less(t, tailed.repeats(values), 20, "a tail reads each record once, and sends were repeated seldom")
}

// committing is a group handler that commits each record it has seen.
type committing struct{ all *seen }

var _ sarama.ConsumerGroupHandler = committing{}

func (committing) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (committing) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h committing) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			h.all.add(m)
			session.MarkMessage(m, "")
			session.Commit()
		}
	}
}
