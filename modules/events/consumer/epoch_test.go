package consumer

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestCopiesAreRecognisedAcrossEpochsWithAnotherNumberOfPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := stack.RandomEvents(newRand(40), 300)
	stop := w.consume(t)
	w.send(t, events[:200]...)
	w.requireExact(t, 200)
	stop()

	w.cfg.Topic, w.cfg.Partitions, w.cfg.Epoch = "events.second", 6, 2
	_, err := kafka.EnsureTopics(w.KafkaConfig, topicSpecs(w.cfg.Log, w.KafkaConfig), false)
	require.NoError(t, err)
	stop = w.consume(t)
	for i := range events[:100] { // the copies of phones, some with another time
		events[i].OccurredAt = events[i].OccurredAt.Add(-time.Duration(i%2) * 20 * time.Hour)
	}
	w.send(t, events[:100]...)
	w.send(t, events...)
	w.requireExact(t, 300)
	stop()
	w.consume(t) // and by somebody who has seen none of them
	w.send(t, events...)
	wait.Until(t, func() bool {
		return w.Count(t, "SELECT sum(rows + duplicates) AS n FROM event_ranges WHERE epoch = 2") == 700
	})
	w.requireExact(t, 300)
}

func TestAnEpochBeginsWhenAllOfTheOneBeforeIsApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := stack.RandomEvents(newRand(41), 60)
	stop := w.consume(t)
	w.send(t, events[:20]...)
	w.requireExact(t, 20)
	stop()
	w.send(t, events[20:40]...) // nobody has read these

	old := w.cfg
	w.cfg.Topic, w.cfg.Epoch = "events.second", 2
	_, err := kafka.EnsureTopics(w.KafkaConfig, topicSpecs(w.cfg.Log, w.KafkaConfig), false)
	require.NoError(t, err)
	err = w.consumeUntilFailure(t)
	require.ErrorIs(t, err, kafka.ErrStop)
	require.ErrorContains(t, err, "Run consumers with the settings of epoch 1")

	next := w.cfg
	w.cfg = old
	stop = w.consume(t)
	w.requireExact(t, 40)
	wait.Until(t, func() bool {
		return w.Count(t, "SELECT sum(rows) AS n FROM event_ranges") == 40
	})
	stop()
	w.cfg = next
	stop = w.consume(t)
	w.send(t, events[30:]...)
	w.requireExact(t, 60)
	stop()

	w.cfg = old
	require.ErrorContains(t, w.consumeUntilFailure(t), "epoch 2 has begun")
}

func TestOlderEpochsAreAskedOnlyWhileTheRawTableHasThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := &clockAt{time.Now()}
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, now, nil, prometheus.NewRegistry(), zap.NewNop())
	check := func(partitions int32, epoch uint16) (regrouped bool) {
		c.shared.Config.Partitions, c.shared.Config.Epoch = partitions, epoch
		require.NoError(t, kafka.WithOffsetReader(c.kafka, func(r kafka.OffsetReader) (err error) {
			regrouped, err = c.checkEpoch(t.Context(), r)
			return err
		}))
		return regrouped
	}
	require.False(t, check(4, 1))
	require.False(t, check(4, 2))
	require.True(t, check(6, 3))
	now.Time = now.Add(ledger.RawRetention + 25*time.Hour)
	require.False(t, check(6, 3))
}

// clockAt stands still.
type clockAt struct{ time.Time }

func (c *clockAt) Now() time.Time { return c.Time }
