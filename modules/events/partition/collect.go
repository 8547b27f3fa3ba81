package partition

import (
	"context"
	"errors"
	"time"
)

// collect fills the batch and says what sealed it.
func (p *Worker) collect(ctx context.Context) (reason string, err error) {
	b := &p.batch
	b.reset(p.next)
	due := p.due()
	age := time.NewTimer(0)
	age.Stop()
	defer age.Stop()
	nothing := time.NewTimer(p.nextPoll.Sub(p.Clock.Now()))
	defer nothing.Stop()
	for {
		m, open := p.Queue.Pop()
		switch {
		case m != nil:
			first := b.empty()
			b.add(m, p.reader, p.Config.Epoch)
			if first && !b.empty() {
				b.opened = p.Clock.Now()
				age.Reset(p.Config.Batch.MaxAge) // what comes while we read may not hold it up
			}
			if b.records >= p.Config.Batch.MaxRows {
				return "rows", nil
			}
			if b.bytes >= p.Config.Batch.MaxBytes {
				return "bytes", nil
			}
			if b.records&255 != 0 { // look at the clock now and then
				continue
			}
			select {
			case <-age.C:
				return "age", nil
			default:
			}
		case !open:
			return "", ErrSessionEnded
		default:
			if !b.empty() {
				left := max(due.Sub(p.Clock.Now()), p.Ledger.Rest())
				if left <= 0 {
					return "age", nil
				}
				age.Reset(left)
			}
			select {
			case <-p.Queue.Ready():
				if b.empty() {
					due = p.due()
				}
			case <-age.C: // unless others have written meanwhile
			case <-nothing.C:
				if b.empty() {
					return idle, nil
				}
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

// due is when the batch that begins with the oldest record waiting is old enough: at the next multiple
// of the greatest age after the record came. So the batches of all partitions are due at the same time,
// and go in one statement; and all wait while the writer rests after one.
func (p *Worker) due() time.Time {
	return p.Queue.WaitingSince().Truncate(p.Config.Batch.MaxAge).Add(p.Config.Batch.MaxAge)
}

// idle is what collect says when nothing came for a while.
const idle = "idle"

var ErrSessionEnded = errors.New("the session has ended")
