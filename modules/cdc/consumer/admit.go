package consumer

import (
	"context"
	"fmt"
	"slices"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// admit has the keys of changes admitted before anything is looked up or written by their numbers, those of deletes
// too: they would delete another's row. A record that names a refused one becomes a dead letter, with all that was
// made of it. Those of erased people are left out: nothing is kept of them. Integers need nothing.
func (w *writer) admit(ctx context.Context, jobs []*job) error {
	if !slices.ContainsFunc(jobs, func(j *job) bool { return slices.ContainsFunc(j.batch.entries, entry.hasKeys) }) {
		return nil
	}
	if err := w.prepare(ctx); err != nil { // who is erased
		return err
	}
	var keys []core.Key
	for _, j := range jobs {
		for _, e := range j.batch.entries {
			if e.hasKeys() && !w.names(e) {
				keys = append(keys, e.row.Keys...)
			}
		}
	}
	refused, err := w.keys.Admit(ctx, keys)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", w.topic, err)
	}
	if len(refused) > 0 {
		for _, j := range jobs {
			w.refuse(j.batch, refused)
		}
	}
	return nil
}

func (e entry) hasKeys() bool { return len(e.row.Keys) > 0 }

// refuse makes dead letters of the records that name refused keys.
func (w *writer) refuse(b *batch, refused core.RefusedKeys) {
	out := map[*sarama.ConsumerMessage]bool{}
	for _, e := range b.entries {
		key, is := refused.First(e.row.Keys...)
		if !is || out[e.record] {
			continue
		}
		out[e.record] = true
		letter := kafka.NewDeadLetter(e.record, e.epoch, core.KeyCollision, key.Collides())
		letter.At = w.clock.Now()
		b.deadLetters = append(b.deadLetters, letter)
		w.metrics.deadLetters.WithLabelValues(w.table, core.KeyCollision).Inc()
	}
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool { return e.record != nil && out[e.record] })
}

// admitRows has the keys of rows admitted that were read from the app's table. A row that names a refused one is gone
// for us, as one that names somebody who is erased.
func (w *writer) admitRows(ctx context.Context, rows map[string]mapping.Row) error {
	var keys []core.Key
	for _, row := range rows {
		keys = append(keys, row.Keys...)
	}
	if len(keys) == 0 {
		return nil
	}
	refused, err := w.keys.Admit(ctx, keys)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", w.topic, err)
	}
	for key, row := range rows {
		if _, is := refused.First(row.Keys...); is {
			row.Gone, row.First, row.Other, row.Keys = true, 0, 0, nil
			rows[key] = row
		}
	}
	return nil
}
