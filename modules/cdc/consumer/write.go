package consumer

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// writer writes the batches of one topic. Those of several partitions that wait at the same time go
// in one insert: partitions never share a key.
type writer struct {
	target

	topic      string
	table      string
	sources    []*mapping.Source
	jobs       chan *job
	prepared   bool
	tombstones replica.Tombstones          // as far as they were known after the last write
	newKeys    map[mapping.Kind]*keyFilter // by kind, of copies that were empty when the session began
}

func (c *Consumer) writer(topic string, partitions int) *writer {
	table := c.mapping.TableOf(topic)
	return &writer{
		target: c.target, topic: topic, table: table, sources: c.mapping.Sources(table),
		jobs: make(chan *job, partitions),
	}
}

// job is a batch that waits to be written.
type job struct {
	batch     *batch
	published bool // its dead letters are safe
	done      chan error
}

// submit hands a batch over and waits until ClickHouse has it.
func (w *writer) submit(ctx context.Context, b *batch) error {
	j := &job{batch: b, done: make(chan error, 1)}
	select {
	case w.jobs <- j:
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

// run writes batches until ctx ends.
func (w *writer) run(ctx context.Context) error {
	for {
		var first *job
		select {
		case first = <-w.jobs:
		case <-ctx.Done():
			return ctx.Err()
		}
		select { // while we wait for a turn, other partitions' batches arrive
		case w.turns <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		jobs := w.waiting(first)
		err := w.writeWithRecovery(ctx, jobs)
		<-w.turns
		for _, j := range jobs {
			j.done <- err
		}
	}
}

func (w *writer) waiting(first *job) []*job {
	jobs, records := []*job{first}, first.batch.records
	for records < 4*w.cfg.BatchRows {
		select {
		case j := <-w.jobs:
			jobs = append(jobs, j)
			records += j.batch.records
		default:
			return jobs
		}
	}
	return jobs
}

// writeWithRecovery tries until it is done: every step may be repeated without harm.
func (w *writer) writeWithRecovery(ctx context.Context, jobs []*job) error {
	pause := worker.Backoff{Least: 50 * time.Millisecond, Most: 2 * time.Second}
	for {
		started := w.clock.Now()
		err := w.attempt(ctx, jobs)
		if err == nil {
			w.metrics.apply.WithLabelValues(w.table).Observe(w.clock.Now().Sub(started).Seconds())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.metrics.retries.WithLabelValues(w.table).Inc()
		w.log.Warn("changes not applied yet", zap.String("table", w.table), zap.Duration("retry_in", pause.Next()),
			zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

// attempt takes the steps of doc.go, in their order.
func (w *writer) attempt(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Deadline)
	defer cancel()
	if err := w.admit(ctx, jobs); err != nil {
		return err
	}
	if err := w.publish(ctx, jobs); err != nil {
		return err
	}
	if err := w.prepare(ctx); err != nil {
		return err
	}
	merges, err := w.merge(ctx, jobs)
	if err != nil {
		return err
	}
	if merges, err = w.insert(ctx, merges); err != nil {
		return err
	}
	truncates, err := w.truncate(ctx, jobs, merges)
	if err != nil {
		return err
	}
	var changes []core.Change
	for _, m := range merges {
		changes = append(changes, m.changes...)
	}
	w.count(jobs, merges)
	w.notify(ctx, append(changes, truncates...))
	return nil
}

// publish brings dead letters to safety.
func (w *writer) publish(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		if j.published || len(j.batch.deadLetters) == 0 {
			continue
		}
		if err := w.deadLetters.Publish(ctx, j.batch.deadLetters); err != nil {
			return fmt.Errorf("dead letters of %s: %w", w.topic, err)
		}
		j.published = true
	}
	return nil
}

// prepare learns before the first write who is erased, which copies are empty and which truncates there were.
func (w *writer) prepare(ctx context.Context) (err error) {
	if w.prepared {
		return nil
	}
	if err := w.erased.Refresh(ctx); err != nil {
		return err
	}
	if err := w.findEmpty(ctx); err != nil {
		return err
	}
	if w.tombstones, err = replica.ReadTombstones(ctx, w.db, w.topic); err != nil {
		return err
	}
	w.prepared = true
	return nil
}
