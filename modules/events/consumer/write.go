package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// writeWithRecovery writes the batch until it is there.
func (p *partition) writeWithRecovery(ctx context.Context) error {
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
		p.batch.leaveOut(p.erased, p.present) // the refusal may have been about them
		if insertErrors > 0 {
			if err := p.quarantine(ctx, err); err != nil {
				return err
			}
		}
	}
}

// writeOnce inserts the batch's rows in one statement, then the range. The server splits the statement by
// day and makes each day's part visible by itself: whoever finds it half done asks which offsets are there.
func (p *partition) writeOnce(ctx context.Context, alone bool) error {
	b := &p.batch
	p.failpoints.Reached(AtInserting, p.id)
	if ledger.Absent(b.rows) > 0 {
		began := p.clock.Now()
		if err := p.ledger.Insert(ctx, p.fence, b.rows, alone); err != nil {
			return err
		}
		p.metrics.insert.Observe(p.clock.Now().Sub(began).Seconds())
	}
	p.failpoints.Reached(AtInserted, p.id)
	p.notify(ctx)
	if err := p.ledger.WriteRange(ctx, p.fence, b.offsetRange(), alone); err != nil {
		return err
	}
	p.failpoints.Reached(AtRangeWritten, p.id)
	return nil
}

// recover finds out what became of a write whose outcome is not known, and makes sure that it cannot
// happen any more: by acquiring the partition anew. It fails with ErrFenced if another consumer has.
func (p *partition) recover(ctx context.Context, cause error) error {
	if errors.Is(cause, ledger.ErrFenced) {
		p.metrics.fenced.Inc()
		return fmt.Errorf("%s: %w", p.position(), cause)
	}
	p.metrics.uncertain.WithLabelValues(kindOf(cause)).Inc()
	p.log.Warn("the outcome of a write is not known, looking it up", zap.Error(cause), zap.String("at", p.position()))
	number := p.fence.Number + 1
	pause := retryPause()
	for {
		err := p.acquireFence(ctx, number)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, ledger.ErrFenced):
			p.metrics.fenced.Inc()
			return fmt.Errorf("%s: %w", p.position(), err)
		}
		p.log.Warn("look up a write, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
		if p.fence.Number == number {
			number++ // what failed may have been a write under the new fence
		}
	}
}

// A batch that ClickHouse refuses again and again stops its partition, and no other: an operator must
// look. It is still tried now and then, because what was wrong may have been put right.
const (
	alarmAfter       = 5                // insertErrors before the alarm
	insertErrorPause = 20 * time.Second // between tries, at most
)

func (p *partition) alarm(err error) {
	p.metrics.stopped.Set(1)
	p.log.Error("ClickHouse refuses a batch: the partition waits until that is put right, or until its records are quarantined with `feedrank dlq quarantine`",
		zap.Error(err), zap.String("topic", p.topic), zap.Int32("partition", p.id),
		zap.Int64("first_offset", p.batch.first), zap.Int64("last_offset", p.batch.next-1))
}

// kindOf is the label of an uncertain outcome.
func kindOf(err error) string {
	switch _, server := clickhouse.AsException(err); {
	case server:
		return "server"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "connection"
	}
}
