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
	*Consumer
	group   sarama.ConsumerGroup
	markers *kafka.Markers
	topics  map[string]*sessionTopic
	cancel  context.CancelFunc
	workers *errgroup.Group
}

type sessionTopic struct {
	applier *applier
	epochs  replica.Epochs
	leaders map[int32]envelope.Leader // of each partition, where it goes on
}

// handler gives each generation a session of its own.
type handler struct {
	*Consumer
	group   sarama.ConsumerGroup
	markers *kafka.Markers
	session *session
}

var (
	_ sarama.ConsumerGroupHandler = (*handler)(nil)
	_ kafka.Joiner                = (*handler)(nil)
)

// Joined implements kafka.Joiner.
func (h *handler) Joined(group sarama.ConsumerGroup, markers *kafka.Markers) {
	h.group, h.markers = group, markers
}

// Setup finds out where each claimed partition goes on, before anything is read.
func (h *handler) Setup(group sarama.ConsumerGroupSession) error {
	h.session = nil
	s, err := h.open(group)
	if err != nil {
		return fmt.Errorf("set up the consumer of changes: %w", err)
	}
	s.group, s.markers = h.group, h.markers
	ctx, cancel := context.WithCancel(group.Context())
	s.cancel = cancel
	s.workers, ctx = errgroup.WithContext(ctx)
	for _, t := range s.topics {
		s.workers.Go(func() error { return t.applier.run(ctx) })
	}
	s.workers.Go(func() error { return commit(ctx, group) })
	h.session = s
	return nil
}

// Cleanup waits for the session's goroutines and commits what they marked. It is also called after a
// Setup that failed.
func (h *handler) Cleanup(group sarama.ConsumerGroupSession) error {
	if h.session == nil {
		return nil
	}
	h.session.cancel()
	err := h.session.workers.Wait()
	group.Commit()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// ConsumeClaim consumes one partition. Its error ends the session; it is logged here because sarama
// does not pass it on.
func (h *handler) ConsumeClaim(group sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	err := h.session.consume(group, claim)
	if err != nil {
		h.log.Error("consumer of a partition ended", zap.String("topic", claim.Topic()), zap.Int32("partition", claim.Partition()), zap.Error(err))
	}
	return err
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

func (c *Consumer) open(group sarama.ConsumerGroupSession) (*session, error) {
	log, err := kafka.ReadTopicOffsets(c.kafka, c.cfg.Group, group.Claims())
	if err != nil {
		return nil, err
	}
	c.found(log.Topics)
	s := &session{Consumer: c, topics: map[string]*sessionTopic{}}
	for topic, partitions := range group.Claims() {
		table := c.mapping.TableOf(topic)
		lives, err := replica.ClaimEpoch(group.Context(), c.db, topic, log.Topics[topic], c.clock.Now())
		if err != nil {
			return nil, err
		}
		c.metrics.epoch.WithLabelValues(table).Set(float64(lives.Current().Number))
		s.topics[topic] = &sessionTopic{epochs: lives, leaders: map[int32]envelope.Leader{}, applier: &applier{
			Consumer: c, topic: topic, table: table, sources: c.mapping.Sources(table), jobs: make(chan *job, len(partitions)),
		}}
		for _, p := range partitions {
			at := log.Partitions[topic][p]
			mark := parseMetadata(at.Metadata)
			believed, err := c.resume(group, topic, p, at, mark, lives.Current().TopicID)
			if err != nil {
				return nil, err
			}
			if believed {
				s.topics[topic].leaders[p] = mark.leader
			}
		}
	}
	return s, nil
}

// resume decides where a partition goes on. believed says that it is where it was committed.
func (c *Consumer) resume(group sarama.ConsumerGroupSession, topic string, partition int32, at kafka.Offsets, mark offsetMetadata, topicID string) (believed bool, err error) {
	switch {
	case at.Committed < 0: // never consumed: from the beginning
		return false, nil
	case mark.topicID != "" && topicID != "" && mark.topicID != topicID: // committed in another life of the topic
		group.ResetOffset(topic, partition, at.Oldest, topicID)
		return false, nil
	case at.Committed >= at.Oldest && at.Committed <= at.Newest:
		return true, nil
	}
	table := c.mapping.TableOf(topic)
	c.metrics.lostOffsets.WithLabelValues(table).Inc()
	if c.cfg.OnLostOffset == "fail" {
		return false, fmt.Errorf("%w: %s/%d: the next record is %d, but the log holds %d to %d: changes are lost; set cdc.consumer.on_lost_offset=earliest and run `feedrank resync`",
			kafka.ErrStop, topic, partition, at.Committed, at.Oldest, at.Newest)
	}
	c.log.Error("changes are lost: the log no longer has the next record; run `feedrank resync`", zap.String("topic", topic),
		zap.Int32("partition", partition), zap.Int64("next", at.Committed), zap.Int64("oldest", at.Oldest), zap.Int64("newest", at.Newest))
	group.MarkOffset(topic, partition, at.Oldest, topicID)
	group.ResetOffset(topic, partition, at.Oldest, topicID)
	return false, nil
}
