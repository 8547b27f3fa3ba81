package consumer

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
)

// logOffsets is where Kafka lets a partition begin.
type logOffsets struct {
	next           int64 // by Kafka's account: the committed offset, or the oldest
	oldest, newest int64 // what the log holds when the session begins: oldest to newest-1
}

// start is the offset from which to fetch, for a ledger that says next; it is always in the log.
func (o logOffsets) start(next int64) int64 { return min(max(next, o.oldest), o.newest) }

// checkLogBounds decides what to do when the log does not hold the next offset. The views agree with the raw
// table by then, so a lost range may be written.
func (p *partition) checkLogBounds(ctx context.Context, next int64) (int64, error) {
	o, err := p.readOffsets()
	if err != nil {
		return 0, err
	}
	if next > o.newest {
		// It may have been recreated, or restored from a copy. Its offsets mean other records now.
		return 0, &parkedError{fmt.Sprintf("%s/%d ends at offset %d, but offsets up to %d are applied: the topic was made anew or cut;"+
			" set events.epoch to %d to begin a new epoch with it", p.topic, p.id, o.newest, next-1, p.cfg.Epoch+1)}
	}
	if next >= o.oldest {
		return next, nil
	}
	to := o.oldest
	switch p.cfg.OnLostOffsets {
	case "earliest":
	case "latest":
		to = o.newest
	default:
		return 0, &parkedError{fmt.Sprintf("%s/%d: offsets %d to %d were deleted before they were read;"+
			" set events.on_lost_offsets to earliest or latest to go on from %d or %d", p.topic, p.id, next, o.oldest-1, o.oldest, o.newest)}
	}
	lost := ledger.OffsetRange{First: next, Last: to - 1}
	for offset := range p.present {
		if offset < to {
			lost.Rows++
		}
	}
	lost.Lost = uint64(to-next) - lost.Rows //nolint:gosec // not negative
	p.states.Forget()
	p.dedup.ForgetRecent()
	p.known = ledger.Fence{} // they may know what was read and is lost
	p.log.Error("offsets are lost, going on as events.on_lost_offsets says", zap.Int64("first", next), zap.Int64("last", to-1))
	if err := p.ledger.WriteRange(ctx, p.fence, lost, true); err != nil {
		return 0, fmt.Errorf("write the lost range: %w", err)
	}
	p.metrics.lost.Add(float64(lost.Lost))
	return to, nil
}

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
