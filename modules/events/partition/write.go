package partition

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// writeWithRecovery writes the batch until it is there.
func (p *Worker) writeWithRecovery(ctx context.Context) error {
	defer p.metrics.stopped.Set(0)
	for insertErrors, alone := 0, false; ; alone = true {
		err := p.writeOnce(ctx, alone)
		if err == nil {
			return nil
		}
		if ledger.IsInsertError(err) {
			insertErrors++
		}
		if insertErrors == alarmAfter {
			p.alarm(err)
		}
		if insertErrors > 0 {
			if err := worker.Pause(ctx, min(firstRetry<<min(insertErrors, 10), insertErrorPause)); err != nil {
				return err
			}
		}
		if err := p.recover(ctx, err); err != nil {
			return err
		}
		if p.next >= p.batch.next { // it was the acknowledgement that got lost
			return nil
		}
		p.batch.markPresent(p.present)
		p.batch.leaveOut(p.Erased, p.present) // the refusal may have been about them
		if insertErrors > 0 {
			if err := p.quarantine(ctx, err); err != nil {
				return err
			}
		}
	}
}

// writeOnce inserts the batch's rows in one statement, then the range. The server splits the statement by
// day and makes each day's part visible by itself: whoever finds it half done asks which offsets are there.
func (p *Worker) writeOnce(ctx context.Context, alone bool) error {
	b := &p.batch
	p.Failpoints.Reached(AtInserting, p.ID)
	if ledger.Absent(b.rows) > 0 {
		began := p.Clock.Now()
		if err := p.Ledger.Insert(ctx, p.fence, b.rows, alone); err != nil {
			return err
		}
		p.metrics.insert.Observe(p.Clock.Now().Sub(began).Seconds())
	}
	p.Failpoints.Reached(AtInserted, p.ID)
	p.notify(ctx)
	if err := p.Ledger.WriteRange(ctx, p.fence, b.offsetRange(), alone); err != nil {
		return err
	}
	p.Failpoints.Reached(AtRangeWritten, p.ID)
	return nil
}

// A batch that ClickHouse refuses again and again stops its partition, and no other: an operator must
// look. It is still tried now and then, because what was wrong may have been put right.
const (
	alarmAfter       = 5                // insertErrors before the alarm
	insertErrorPause = 20 * time.Second // between tries, at most
)

func (p *Worker) alarm(err error) {
	p.metrics.stopped.Set(1)
	p.batchLog().Error("ClickHouse refuses a batch: the partition waits until that is put right, or until its records are quarantined with `feedrank dlq quarantine`",
		zap.Error(err), zap.String("topic", p.Topic), zap.Int32("partition", p.ID),
		zap.Int64("first_offset", p.batch.first), zap.Int64("last_offset", p.batch.next-1))
}
