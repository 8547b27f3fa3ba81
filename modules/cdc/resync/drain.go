package resync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/sql"
)

// ErrBehind says that a comparison could not tell what is lost from what is late.
var ErrBehind = errors.New("the copy is behind the app's table: look at feedrank_cdc_source_slot_lag_bytes and feedrank_cdc_lag_records first, and compare once they are low")

// frontier is a place in the log. Once the consumer has passed it, what the app's table had before and our
// copy has not is lost, and not on its way.
type frontier struct {
	*Resync
	topic    string
	position string          // of PostgreSQL's log
	ends     map[int32]int64 // of the topic's partitions, when Kafka had everything up to the position; nil: it has not yet
	passed   bool
}

// frontier is where the log is now.
func (w *walk) frontier(ctx context.Context) (*frontier, error) {
	f := &frontier{Resync: w.Resync, topic: w.Mapping.Topic(w.source.Table), passed: w.options.Drain == 0}
	if err := w.Postgres.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&f.position); err != nil {
		return nil, fmt.Errorf("position of the log: %w", err)
	}
	return f, nil
}

// behind tells whether changes from before the frontier may not be applied yet. Of a Debezium connector
// only the part in Kafka is known.
func (f *frontier) behind(ctx context.Context) (bool, error) {
	if f.passed {
		return false, nil
	}
	if f.ends == nil {
		confirmed := true
		err := f.Postgres.QueryRow(ctx, sql.Postgres("cdc_confirmed"), f.Slot, f.position).Scan(&confirmed)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return false, fmt.Errorf("position of slot %s: %w", f.Slot, err)
		}
		if !confirmed {
			return true, nil
		}
	}
	offsets, err := kafka.ReadTopicOffsets(f.Kafka, f.Group, map[string][]int32{f.topic: nil})
	if errors.Is(err, sarama.ErrUnknownTopicOrPartition) { // nothing was ever written
		f.passed = true
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at := offsets.Partitions[f.topic]
	if f.ends == nil {
		f.ends = map[int32]int64{}
		for p, here := range at {
			f.ends[p] = here.Newest
		}
	}
	for p, end := range f.ends {
		if here := at[p]; here.Committed < end && here.Oldest < end { // what expired is not waited for
			return true, nil
		}
	}
	f.passed = true
	return false, nil
}

// Ready tells whether there is something to compare: a connector has written, and the built-in source
// reads no table for the first time any more.
func (r *Resync) Ready(ctx context.Context) (bool, error) {
	var left int
	if err := r.Postgres.QueryRow(ctx, sql.Postgres("cdc_snapshots_left")).Scan(&left); err != nil {
		return false, fmt.Errorf("tables that have no snapshot yet: %w", err)
	}
	if left > 0 {
		return false, nil
	}
	claims := map[string][]int32{}
	for _, topic := range r.Mapping.Topics() {
		claims[topic] = nil
	}
	offsets, err := kafka.ReadTopicOffsets(r.Kafka, r.Group, claims)
	if err != nil {
		return false, err
	}
	for _, state := range offsets.Topics {
		for _, end := range state.Ends {
			if end > 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// drainPause is between two looks at how far the consumer came.
const drainPause = 500 * time.Millisecond
