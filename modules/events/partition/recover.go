package partition

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// recover finds out what became of a write whose outcome is not known, and makes sure that it cannot
// happen any more: by acquiring the partition anew. It fails with ErrFenced if another consumer has.
func (p *Worker) recover(ctx context.Context, cause error) error {
	if errors.Is(cause, ledger.ErrFenced) {
		p.metrics.fenced.Inc()
		return fmt.Errorf("%s: %w", p.position(), cause)
	}
	p.metrics.uncertain.WithLabelValues(kindOf(cause)).Inc()
	p.batchLog().Warn("the outcome of a write is not known, looking it up", zap.Error(cause), zap.String("at", p.position()))
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
		p.batchLog().Warn("look up a write, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
		if p.fence.Number == number {
			number++ // what failed may have been a write under the new fence
		}
	}
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
