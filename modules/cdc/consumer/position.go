package consumer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// position is where a partition stands when it is acquired.
type position struct {
	kafka.Offsets
	topic     string
	partition int32
	topicID   string // of the topic's incarnation now
}

// load decides where a partition goes on: where it was committed, and who led then; or at the beginning, if it was
// never consumed or is of another incarnation.
func (c *Consumer) load(group sarama.ConsumerGroupSession, at position) (leader envelope.Leader, err error) {
	committed := parseMetadata(at.Metadata)
	switch {
	case at.Committed < 0: // never consumed: from the beginning
		return envelope.Leader{}, nil
	case committed.topicID != "" && at.topicID != "" && committed.topicID != at.topicID: // of another incarnation
		group.ResetOffset(at.topic, at.partition, at.Oldest, at.topicID)
		return envelope.Leader{}, nil
	case at.Committed >= at.Oldest && at.Committed <= at.Newest:
		return committed.leader, nil
	}
	return envelope.Leader{}, c.outOfBounds(group, at)
}

// outOfBounds treats a partition whose log no longer has the next record, as cdc.consumer.on_lost_offset says.
func (c *Consumer) outOfBounds(group sarama.ConsumerGroupSession, at position) error {
	c.metrics.lostOffsets.WithLabelValues(c.mapping.TableOf(at.topic)).Inc()
	if c.cfg.OnLostOffset == "fail" {
		return fmt.Errorf("%w: %s/%d: the next record is %d, but the log holds %d to %d: changes are lost; "+
			"set cdc.consumer.on_lost_offset=earliest and run `feedrank resync`",
			kafka.ErrStop, at.topic, at.partition, at.Committed, at.Oldest, at.Newest)
	}
	c.log.Error("changes are lost: the log no longer has the next record; run `feedrank resync`",
		zap.String("topic", at.topic),
		zap.Int32("partition", at.partition), zap.Int64("next", at.Committed), zap.Int64("oldest", at.Oldest),
		zap.Int64("newest", at.Newest))
	group.MarkOffset(at.topic, at.partition, at.Oldest, at.topicID)
	group.ResetOffset(at.topic, at.partition, at.Oldest, at.topicID)
	return nil
}

// offsetMetadata is what is committed with an offset: the incarnation of the topic that it belongs to, and who
// led then.
type offsetMetadata struct {
	topicID string
	leader  envelope.Leader
}

func (m offsetMetadata) String() string {
	if m.leader.Epoch == 0 {
		return m.topicID
	}
	return m.topicID + " " + strconv.FormatUint(m.leader.System, 10) + " " + strconv.FormatUint(m.leader.Epoch, 10)
}

// parseMetadata reads one; what does not say a leader has none.
func parseMetadata(text string) (m offsetMetadata) {
	parts := strings.Split(text, " ")
	m.topicID = parts[0]
	if len(parts) != 3 {
		return m
	}
	system, err1 := strconv.ParseUint(parts[1], 10, 64)
	epoch, err2 := strconv.ParseUint(parts[2], 10, 64)
	if err1 == nil && err2 == nil {
		m.leader = envelope.Leader{System: system, Epoch: epoch}
	}
	return m
}
