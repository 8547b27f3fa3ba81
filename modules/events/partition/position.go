package partition

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
)

// LogOffsets is where Kafka lets a partition begin.
type LogOffsets struct {
	Next           int64 // by Kafka's account: the committed offset, or the oldest
	Oldest, Newest int64 // what the log holds when the session begins: oldest to newest-1
}

// Start is the offset from which to fetch, for a ledger that says next; it is always in the log.
func (o LogOffsets) Start(next int64) int64 { return min(max(next, o.Oldest), o.Newest) }

// loadPosition reads how far the partition is applied, and what lies beyond that.
func (p *Worker) loadPosition(ctx context.Context) error {
	last, ok, err := p.Ledger.Position(ctx)
	if err != nil {
		return fmt.Errorf("read the position: %w", err)
	}
	next := p.Offsets.Next
	if ok {
		next = last + 1
	}
	if p.present, err = p.Ledger.Present(ctx, next-1); err != nil {
		return fmt.Errorf("read the offsets present: %w", err)
	}
	p.next = next
	return nil
}

// checkLogBounds decides what to do when the log does not hold the next offset. The views agree with the raw
// table by then, so a lost range may be written.
func (p *Worker) checkLogBounds(ctx context.Context, next int64) (int64, error) {
	o, err := p.ReadOffsets()
	if err != nil {
		return 0, err
	}
	if next > o.Newest {
		// It may have been recreated, or restored from a copy. Its offsets mean other records now.
		return 0, &parkedError{fmt.Sprintf("%s/%d ends at offset %d, but offsets up to %d are applied: the topic was made anew or cut;"+
			" set events.epoch to %d to begin a new epoch with it", p.Topic, p.ID, o.Newest, next-1, p.Config.Epoch+1)}
	}
	if next >= o.Oldest {
		return next, nil
	}
	to := o.Oldest
	switch p.Config.OnLostOffsets {
	case "earliest":
	case "latest":
		to = o.Newest
	default:
		return 0, &parkedError{fmt.Sprintf("%s/%d: offsets %d to %d were deleted before they were read;"+
			" set events.on_lost_offsets to earliest or latest to go on from %d or %d", p.Topic, p.ID, next, o.Oldest-1,
			o.Oldest, o.Newest)}
	}
	lost := ledger.OffsetRange{First: next, Last: to - 1}
	for offset := range p.present {
		if offset < to {
			lost.Rows++
		}
	}
	lost.Lost = uint64(to-next) - lost.Rows
	p.forget() // it may follow from what was read and is lost
	p.log.Error("offsets are lost, going on as events.on_lost_offsets says", zap.Int64("first", next),
		zap.Int64("last", to-1))
	if err := p.Ledger.WriteRange(ctx, p.fence, lost, true); err != nil {
		return 0, fmt.Errorf("write the lost range: %w", err)
	}
	p.metrics.lost.Add(float64(lost.Lost))
	return to, nil
}
