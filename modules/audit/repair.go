package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// repair has the owners put right what differs, and looks again whether they did. Where the raw table
// itself is wrong it leaves the views alone: they may be the last that know better.
func (a *Auditor) repair(ctx context.Context, r *Report, suspects []suspect) error {
	type place struct {
		partition uint16
		day       time.Time
	}
	asked := map[place]bool{}
	var failures []error
	for _, s := range suspects {
		at := place{s.partition, s.from.Truncate(day)}
		if r.rawIsWrong(s.partition) {
			r.Withheld = insertSorted(r.Withheld, s.partition)
			continue
		}
		if _, done := asked[at]; done {
			continue
		}
		wrong, err := a.reconcile(ctx, s.partition, at.day)
		if err != nil {
			failures = append(failures, fmt.Errorf("repair partition %d, %s: %w", at.partition,
				at.day.Format(time.DateOnly), err))
		}
		asked[at] = err == nil
		r.Repaired += wrong
	}
	for _, s := range suspects {
		repaired := false
		if asked[place{s.partition, s.from.Truncate(day)}] {
			left, err := a.again(ctx, []suspect{s})
			failures = append(failures, err)
			repaired = err == nil && len(left) == 0
		}
		r.add(s.finding(repaired))
	}
	return errors.Join(failures...)
}

// reconcilePatience is how long an owner may take to answer.
const reconcilePatience = 2 * time.Minute

func (a *Auditor) reconcile(ctx context.Context, partition uint16, day time.Time) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	return a.owners.Reconcile(ctx, int(partition), day, day)
}
