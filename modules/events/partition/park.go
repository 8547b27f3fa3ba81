package partition

import (
	"context"

	"go.uber.org/zap"
)

// park keeps the partition, applies nothing, and leaves the others alone.
func (p *Worker) park(ctx context.Context, why error) error {
	p.metrics.stopped.Set(1)
	defer p.metrics.stopped.Set(0)
	p.log.Error("the partition is stopped and waits for a decision", zap.Error(why), zap.String("at", p.position()))
	<-ctx.Done()
	return ctx.Err()
}

// parkedError says why a partition cannot go on before somebody has decided something.
type parkedError struct{ reason string }

func (e *parkedError) Error() string { return e.reason }
