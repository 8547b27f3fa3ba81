package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// applier writes the batches of one topic. Those of several partitions that wait at the same time go
// in one insert: partitions never share a key.
type applier struct {
	*Consumer
	topic   string
	table   string
	sources []*mapping.Source
	jobs    chan *job
	graves  replica.Tombstones // as far as they were known after the last write
	known   bool
	unseen  map[mapping.Kind]*unseen // by kind, of copies that were empty when the session began
}

// job is a batch that waits to be applied.
type job struct {
	batch     *batch
	published bool // its dead letters are safe
	done      chan error
}

// submit hands a batch over and waits until ClickHouse has it.
func (a *applier) submit(ctx context.Context, b *batch) error {
	j := &job{batch: b, done: make(chan error, 1)}
	select {
	case a.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run applies batches until ctx ends.
func (a *applier) run(ctx context.Context) error {
	for {
		var first *job
		select {
		case first = <-a.jobs:
		case <-ctx.Done():
			return ctx.Err()
		}
		select { // while we wait for a turn, other partitions' batches arrive
		case a.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		jobs := a.waiting(first)
		err := a.apply(ctx, jobs)
		<-a.slots
		for _, j := range jobs {
			j.done <- err
		}
	}
}

func (a *applier) waiting(first *job) []*job {
	jobs, records := []*job{first}, first.batch.records
	for records < 4*a.cfg.BatchRows {
		select {
		case j := <-a.jobs:
			jobs = append(jobs, j)
			records += j.batch.records
		default:
			return jobs
		}
	}
	return jobs
}

// apply tries until it is done: every step may be repeated without harm.
func (a *applier) apply(ctx context.Context, jobs []*job) error {
	pause := 50 * time.Millisecond
	for {
		started := a.clock.Now()
		err := a.attempt(ctx, jobs)
		if err == nil {
			a.metrics.apply.WithLabelValues(a.table).Observe(a.clock.Now().Sub(started).Seconds())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.metrics.retries.WithLabelValues(a.table).Inc()
		a.log.Warn("changes not applied yet", zap.String("table", a.table), zap.Duration("retry_in", pause), zap.Error(err))
		if err := worker.Pause(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, 2*time.Second)
	}
}

func (a *applier) attempt(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Deadline)
	defer cancel()
	if err := a.publish(ctx, jobs); err != nil {
		return err
	}
	if !a.known {
		if err := a.erased.Refresh(ctx); err != nil {
			return err
		}
		if err := a.findEmpty(ctx); err != nil {
			return err
		}
		if err := a.refresh(ctx, nil); err != nil {
			return err
		}
	}
	folds, err := a.fold(ctx, jobs)
	if err != nil {
		return err
	}
	var changes []core.Change
	for _, f := range folds {
		if err := a.writeFold(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range folds {
		more, err := a.verify(ctx, f)
		if err != nil {
			return err
		}
		folds = append(folds, more...)
	}
	for _, f := range folds {
		changes = append(changes, f.changes...)
	}
	if len(folds) > 0 { // another partition may have met a truncate while we wrote
		if err := a.refresh(ctx, folds); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if t := j.batch.truncate; t != nil {
			if err := replica.ApplyTruncate(ctx, a.db, a.topic, a.sources, *t, a.clock.Now()); err != nil {
				return err
			}
			a.graves = a.graves.Add(*t)
			changes = append(changes, core.Change{Kind: core.TableCleared, CommittedAt: t.CommittedAt})
		}
	}
	a.count(jobs, folds)
	a.tell(ctx, changes)
	return nil
}

func (a *applier) publish(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		if j.published || len(j.batch.deadLetters) == 0 {
			continue
		}
		if err := a.deadLetters.Publish(ctx, j.batch.deadLetters); err != nil {
			return fmt.Errorf("dead letters of %s: %w", a.topic, err)
		}
		j.published = true
	}
	return nil
}

// refresh learns which truncates there are, and buries what was just written if one is new.
func (a *applier) refresh(ctx context.Context, folds []*fold) error {
	graves, err := replica.ReadTombstones(ctx, a.db, a.topic)
	if err != nil {
		return err
	}
	for _, f := range folds {
		rows, edges := f.bury(graves)
		if err := a.write(ctx, f.kind, rows, edges); err != nil {
			return err
		}
	}
	a.graves, a.known = graves, true
	return nil
}

// fold works the batches' changes out, kind by kind, each partition's in its order.
func (a *applier) fold(ctx context.Context, jobs []*job) ([]*fold, error) {
	var folds []*fold
	for _, s := range a.sources {
		var entries []entry
		for _, j := range jobs {
			for _, e := range j.batch.entries {
				if e.source == s {
					entries = append(entries, e)
				}
			}
		}
		if len(entries) == 0 {
			continue
		}
		if err := a.ask(ctx, s, entries); err != nil {
			return nil, err
		}
		have, err := a.have(ctx, s.Kind, entries)
		if err != nil {
			return nil, err
		}
		f := newFold(s, have)
		for _, e := range entries {
			e, stays := a.leaveOut(f, e)
			if !stays {
				continue
			}
			if a.graves.Truncated(e.origin) {
				a.metrics.killed.WithLabelValues(a.table).Inc()
				e.row.Gone, e.killed = true, true
			}
			f.apply(e)
		}
		folds = append(folds, f)
	}
	return folds, nil
}

func (a *applier) have(ctx context.Context, k mapping.Kind, entries []entry) (map[string]replica.Row, error) {
	asked := map[string]bool{}
	var keys []string
	for _, e := range entries {
		key := k.CopyKey(e.row)
		if first := a.unseen[k].first(key); (e.needsStored() || a.names(e)) && !first && !asked[key] {
			asked[key] = true
			keys = append(keys, key)
		}
	}
	return replica.Lookup(ctx, a.db, k, keys)
}

// writeFold writes what a fold has worked out.
func (a *applier) writeFold(ctx context.Context, f *fold) error {
	for _, left := range f.left { // first: who finds the rows need not look for what they left
		if err := a.write(ctx, f.kind, left, nil); err != nil {
			return err
		}
	}
	return a.write(ctx, f.kind, f.written(), f.writtenEdges())
}

// write inserts rows of a kind and their edges.
func (a *applier) write(ctx context.Context, k mapping.Kind, rows []replica.Row, edges []replica.Edge) error {
	err := replica.Write(ctx, a.db, k, rows, edges, func(table string, n int) { a.metrics.rows.WithLabelValues(table).Add(float64(n)) })
	if clickhouse.IsRefusedByConstraint(err) { // somebody was erased meanwhile: the next attempt leaves them out
		err = errors.Join(err, a.erased.Refresh(ctx))
	}
	if err != nil {
		return fmt.Errorf("insert changes of %s: %w", a.topic, err)
	}
	return nil
}

// tell offers the changes to the feed, whose caches are fresher for it but do not depend on it.
func (a *applier) tell(ctx context.Context, changes []core.Change) {
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		a.metrics.changes.WithLabelValues(changeName(c.Kind)).Inc()
	}
	if err := a.observer.Changed(ctx, changes); err != nil {
		a.metrics.observeErrs.Inc()
		a.log.Warn("feed was not told of changes", zap.String("table", a.table), zap.Int("changes", len(changes)), zap.Error(err))
	}
}

func (a *applier) count(jobs []*job, folds []*fold) {
	now := a.clock.Now()
	for _, j := range jobs {
		a.metrics.batch.WithLabelValues(a.table).Observe(float64(j.batch.records))
		for _, e := range j.batch.entries {
			if e.streamed && !e.committedAt.IsZero() {
				a.metrics.visible.WithLabelValues(a.table).Observe(max(0, now.Sub(e.committedAt).Seconds()))
			}
		}
	}
	for _, f := range folds {
		a.metrics.replays.WithLabelValues(a.table).Add(float64(f.replays))
		a.metrics.stale.WithLabelValues(a.table).Add(float64(f.stale))
		a.metrics.raised.WithLabelValues(a.table).Add(float64(f.raised))
	}
}

func changeName(k core.ChangeKind) string {
	names := [...]string{
		core.PostPut: "post_put", core.PostDeleted: "post_deleted", core.PostUnclear: "post_unclear", core.Followed: "followed", core.Unfollowed: "unfollowed",
		core.Blocked: "blocked", core.Unblocked: "unblocked", core.Muted: "muted", core.Unmuted: "unmuted", core.TableCleared: "table_cleared",
		core.UserGone: "user_gone", core.UserBack: "user_back",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}
