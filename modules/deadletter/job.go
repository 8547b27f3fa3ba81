package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// JobName is how the job is called that carries out orders.
const JobName = "dead-letters"

// Job carries out orders, one after the other, in the replica that leads the jobs.
type Job struct {
	service *Service
	orders  *Orders
	clock   core.Clock
	log     *zap.Logger
}

// NewJob makes it.
func NewJob(service *Service, orders *Orders, clock core.Clock, log *zap.Logger) *Job {
	return &Job{service: service, orders: orders, clock: clock, log: log}
}

// Run carries out what is ordered. What a leader left behind goes on with the next: with the letters that are still
// open. It needs no fence, since a letter that two leaders replay counts once.
func (j *Job) Run(ctx context.Context, _ int64) error {
	for {
		order, ok, err := j.orders.next(ctx)
		if err != nil || !ok {
			return err
		}
		if err := j.carryOut(ctx, order); err != nil {
			return fmt.Errorf("order %d: %w", order.id, err)
		}
	}
}

// tellEvery is how often progress is written.
const tellEvery = 250 * time.Millisecond

func (j *Job) carryOut(ctx context.Context, order begun) error {
	do := j.service.Discard
	if order.action == Replayed {
		do = j.service.Replay
	}
	told := j.clock.Now()
	outcome, err := do(ctx, order.queue, order.filter, false, func(done, total int) {
		if now := j.clock.Now(); now.Sub(told) >= tellEvery {
			told = now
			if err := j.orders.progress(ctx, order, done, total); err != nil {
				j.log.Warn("the progress of an order was not written", zap.Int64("order", order.id), zap.Error(err))
			}
		}
	})
	if ctx.Err() != nil { // the lead or the process ends: another goes on
		return errors.Join(err, j.orders.progress(context.WithoutCancel(ctx), order, outcome.Done, outcome.Matched))
	}
	if err != nil {
		j.log.Warn("an order ended early", zap.Int64("order", order.id), zap.Int("done", outcome.Done), zap.Error(err))
	}
	return j.orders.end(ctx, order, outcome, err)
}
