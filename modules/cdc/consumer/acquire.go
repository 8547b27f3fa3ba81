package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// commitEvery is how often marked offsets are sent to Kafka. What is not sent is read again, which is
// harmless.
const commitEvery = 200 * time.Millisecond

// session is one generation of the consumer group: from one rebalance to the next.
type session struct {
	topics map[string]*topic
	cancel context.CancelFunc
	tasks  *errgroup.Group
}

// topic is what the partitions of a topic that a session has acquired share.
type topic struct {
	writer  *writer
	epochs  replica.Epochs
	leaders map[int32]envelope.Leader // of each partition, where it goes on
}

// handler gives each generation a session of its own.
type handler struct {
	consumer *Consumer
	group    sarama.ConsumerGroup
	markers  *kafka.Markers
	session  *session
}

var (
	_ sarama.ConsumerGroupHandler = (*handler)(nil)
	_ kafka.Joiner                = (*handler)(nil)
)

// Joined implements kafka.Joiner.
func (h *handler) Joined(group sarama.ConsumerGroup, markers *kafka.Markers) {
	h.group, h.markers = group, markers
}

// Setup acquires what was claimed, before anything is read.
func (h *handler) Setup(group sarama.ConsumerGroupSession) error {
	h.session = nil
	s, err := h.consumer.acquire(group)
	if err != nil {
		return fmt.Errorf("set up the consumer of changes: %w", err)
	}
	s.start(group)
	h.session = s
	return nil
}

// ConsumeClaim consumes one partition. Its error ends the session; it is logged here because sarama
// does not pass it on.
func (h *handler) ConsumeClaim(group sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	err := h.partition(group, claim).run()
	if err != nil {
		h.consumer.log.Error("consumer of a partition ended",
			zap.String("topic", claim.Topic()), zap.Int32("partition", claim.Partition()), zap.Error(err))
	}
	return err
}

// Cleanup releases what Setup acquired: it waits for the session's goroutines and commits what they marked. It is
// also called after a Setup that failed.
func (h *handler) Cleanup(group sarama.ConsumerGroupSession) error {
	if h.session == nil {
		return nil
	}
	h.session.cancel()
	err := h.session.tasks.Wait()
	group.Commit()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// acquire finds out of each claimed topic in which incarnation it is, and of each partition where it goes on.
func (c *Consumer) acquire(group sarama.ConsumerGroupSession) (*session, error) {
	offsets, err := kafka.ReadTopicOffsets(c.kafka, c.cfg.Group, group.Claims())
	if err != nil {
		return nil, err
	}
	c.found(offsets.Topics)
	s := &session{topics: map[string]*topic{}}
	for name, partitions := range group.Claims() {
		epochs, err := replica.ClaimEpoch(group.Context(), c.db, name, offsets.Topics[name], c.clock.Now())
		if err != nil {
			return nil, err
		}
		t := &topic{epochs: epochs, leaders: map[int32]envelope.Leader{}, writer: c.writer(name, len(partitions))}
		c.metrics.epoch.WithLabelValues(t.writer.table).Set(float64(epochs.Current().Number))
		for _, p := range partitions {
			l := position{
				topic: name, partition: p, topicID: epochs.Current().TopicID,
				Offsets: offsets.Partitions[name][p],
			}
			if t.leaders[p], err = c.load(group, l); err != nil {
				return nil, err
			}
		}
		s.topics[name] = t
	}
	return s, nil
}

// start has the topics' writers run until the session is released.
func (s *session) start(group sarama.ConsumerGroupSession) {
	ctx, cancel := context.WithCancel(group.Context())
	s.cancel = cancel
	s.tasks, ctx = errgroup.WithContext(ctx)
	for _, t := range s.topics {
		s.tasks.Go(func() error { return t.writer.run(ctx) })
	}
	s.tasks.Go(func() error { return commit(ctx, group) })
}

func commit(ctx context.Context, group sarama.ConsumerGroupSession) error {
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			group.Commit()
		case <-ctx.Done():
			return nil
		}
	}
}
