package consumer

import (
	"fmt"

	"github.com/IBM/sarama"
)

// logOffsets is where Kafka lets a partition begin.
type logOffsets struct {
	next           int64 // by Kafka's account: the committed offset, or the oldest
	oldest, newest int64 // what the log holds when the session begins: oldest to newest-1
}

// start is the offset from which to fetch, for a ledger that says next; it is always in the log.
func (o logOffsets) start(next int64) int64 { return min(max(next, o.oldest), o.newest) }

// offsetReader asks Kafka about the log of a topic.
type offsetReader struct {
	client sarama.Client
	admin  sarama.ClusterAdmin
	group  string
	topic  string
}

func (s offsetReader) partitions() (int, error) {
	ids, err := s.client.Partitions(s.topic)
	return len(ids), err
}

// offsets finds where a partition may begin.
func (s offsetReader) offsets(partition int32) (o logOffsets, err error) {
	if o.oldest, err = s.client.GetOffset(s.topic, partition, sarama.OffsetOldest); err != nil {
		return o, fmt.Errorf("oldest offset of %s/%d: %w", s.topic, partition, err)
	}
	if o.newest, err = s.client.GetOffset(s.topic, partition, sarama.OffsetNewest); err != nil {
		return o, fmt.Errorf("newest offset of %s/%d: %w", s.topic, partition, err)
	}
	committed, err := s.admin.ListConsumerGroupOffsets(s.group, map[string][]int32{s.topic: {partition}})
	if err != nil {
		return o, fmt.Errorf("committed offset of %s/%d: %w", s.topic, partition, err)
	}
	o.next = o.oldest
	if block := committed.GetBlock(s.topic, partition); block != nil && block.Offset >= 0 {
		o.next = block.Offset
	}
	return o, nil
}
