package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// recordTimeout bounds what is written about a run.
const recordTimeout = 2 * time.Second

// run is one run of a job under a lead. It begins only if our schema still knows the lead.
func (r *Runner) run(ctx context.Context, j *Job, lead int64, cause string) {
	id, err := r.begin(ctx, j, lead, cause)
	if err != nil {
		r.metrics.fenced.Inc()
		r.log.Warn("a run was not begun", zap.String("job", j.Name), zap.Int64("lead", lead), zap.Error(err))
		return
	}
	began := r.clock.Now()
	bounded, cancel := context.WithTimeoutCause(ctx, j.Timeout, ErrTooLong)
	defer cancel()
	err = guarded(bounded, j, lead)
	took := r.clock.Now().Sub(began)
	outcome := judge(bounded, err)

	r.metrics.runs.WithLabelValues(j.Name, string(outcome)).Inc()
	r.metrics.seconds.WithLabelValues(j.Name).Observe(took.Seconds())
	if outcome == OK {
		r.metrics.success.WithLabelValues(j.Name).Set(float64(r.clock.Now().Unix()))
	} else {
		r.log.Warn("a run was not done", zap.String("job", j.Name), zap.String("outcome", string(outcome)),
			zap.Duration("took", took), zap.Error(err))
	}
	recording, cancelRecording := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancelRecording()
	if err := r.history.end(recording, j.Name, id, outcome, postgres.Detail(err, maxDetail)); err != nil {
		r.log.Warn("a run was not recorded", zap.String("job", j.Name), zap.Error(err))
	}
}

func (r *Runner) begin(ctx context.Context, j *Job, lead int64, cause string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	return r.history.begin(ctx, lead, j.Name, cause)
}

func judge(ctx context.Context, err error) Outcome {
	switch cause := context.Cause(ctx); {
	case err == nil:
		return OK
	case errors.Is(cause, ErrTooLong):
		return TimedOut
	case errors.Is(cause, ErrLeadLost):
		return Lost
	case cause != nil:
		return Stopped
	default:
		return Failed
	}
}

func guarded(ctx context.Context, j *Job, lead int64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", worker.ErrPanic, p, debug.Stack())
		}
	}()
	return j.Run(ctx, lead)
}

// maxDetail bounds what is kept of an error.
const maxDetail = 500
