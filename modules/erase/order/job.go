package order

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
)

// JobName is how the job is called that carries orders out.
const JobName = "erase"

// Erase erases people, and announces each step.
type Erase func(ctx context.Context, people []core.Key, steps func(erase.Step) error) (erase.Report, error)

// Job carries out orders, one after the other, in the replica that leads the jobs.
type Job struct {
	orders *Orders
	users  core.KeyForm
	erase  Erase
	log    *zap.Logger
}

// NewJob makes it. users is what keys of users look like.
func NewJob(orders *Orders, users core.KeyForm, erase Erase, log *zap.Logger) *Job {
	return &Job{orders: orders, users: users, erase: erase, log: log.Named("erase")}
}

// Run carries out what is asked for. One that fails is left for the next run, and holds up no other. It needs no fence:
// two leaders who erase the same person do nothing that one alone would not.
func (j *Job) Run(ctx context.Context, _ int64) error {
	var tried []int64
	var failures []error
	for {
		id, user, ok, err := j.orders.next(ctx, tried)
		if err != nil || !ok {
			return errors.Join(append(failures, err)...)
		}
		tried = append(tried, id)
		if err := j.carryOut(ctx, id, user); err != nil {
			failures = append(failures, fmt.Errorf("erasure %d: %w", id, err))
		}
	}
}

func (j *Job) carryOut(ctx context.Context, id int64, user string) error {
	key, err := j.users.Parse(user)
	if err != nil { // keys.users was another when it was asked for
		return errors.Join(err, j.orders.fail(ctx, id, err))
	}
	report, err := j.erase(ctx, []core.Key{key}, func(step erase.Step) error {
		if err := j.orders.progress(ctx, id, step); err != nil {
			j.log.Warn("the progress of an erasure was not written", zap.Int64("id", id), zap.Error(err))
		}
		return ctx.Err()
	})
	if ctx.Err() != nil { // the lead or the process ends: another goes on
		return errors.Join(err, ctx.Err())
	}
	if err != nil {
		return errors.Join(err, j.orders.fail(ctx, id, err))
	}
	return j.orders.end(ctx, id, report)
}
