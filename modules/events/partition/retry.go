package partition

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// retryPause is what is waited between two tries.
func retryPause() worker.Backoff { return worker.Backoff{Least: firstRetry, Most: 2 * time.Second} }

const firstRetry = 50 * time.Millisecond

// retry repeats what has no effect when it is repeated, until it succeeds or ctx ends.
func (p *Worker) retry(ctx context.Context, what string, f func() error) error {
	pause := retryPause()
	for {
		err := f()
		if err == nil || ctx.Err() != nil || errors.Is(err, ledger.ErrFenced) {
			return err
		}
		p.batchLog().Warn(what+", trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

// DeadLetters keeps records that cannot be applied. Publish returns once they are safe: only then do
// we go past them. The same one may come again.
type DeadLetters interface {
	Publish(ctx context.Context, letters []kafka.DeadLetter) error
}

// publishDeadLetters publishes dead letters and waits until they are safe.
func (p *Worker) publishDeadLetters(ctx context.Context, letters []kafka.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := p.retry(ctx, "publish dead letters",
		func() error { return p.DeadLetters.Publish(ctx, letters) }); err != nil {
		return err
	}
	p.batchLog().Warn("records became dead letters; `feedrank dlq list` shows them", zap.Int("records", len(letters)),
		zap.String("reason", letters[0].Reason), zap.String("topic", p.Topic), zap.Int32("partition", p.ID),
		zap.Int64("first_offset", letters[0].Offset))
	for i := range letters {
		p.metrics.deadLetters.WithLabelValues(letters[i].Reason).Inc()
	}
	return nil
}
