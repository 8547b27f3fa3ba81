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

// watermark is a position of the log. Once the consumer has passed it, what the app's table had before and our
// copy has not is lost, and not on its way.
type watermark struct {
	resync   *Resync
	topic    string
	position string // of PostgreSQL's log
	// of the topic's partitions, when Kafka had everything up to the position; nil: it has not yet
	ends   map[int32]int64
	passed bool
}

// watermark is where the log is now.
func (w *walk) watermark(ctx context.Context) (*watermark, error) {
	m := &watermark{resync: w.resync, topic: w.resync.Mapping.Topic(w.source.Table), passed: w.options.Drain == 0}
	if err := w.resync.Postgres.QueryRow(ctx,
		"SELECT pg_current_wal_insert_lsn()::text").Scan(&m.position); err != nil {
		return nil, fmt.Errorf("position of the log: %w", err)
	}
	return m, nil
}

// behind tells whether changes from before the watermark may not be applied yet. Of a Debezium connector
// only the part in Kafka is known.
func (m *watermark) behind(ctx context.Context) (bool, error) {
	if m.passed {
		return false, nil
	}
	if m.ends == nil {
		confirmed := true
		err := m.resync.Postgres.QueryRow(ctx, sql.Postgres("cdc_confirmed"), m.resync.Slot,
			m.position).Scan(&confirmed)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return false, fmt.Errorf("position of slot %s: %w", m.resync.Slot, err)
		}
		if !confirmed {
			return true, nil
		}
	}
	offsets, err := kafka.ReadTopicOffsets(m.resync.Kafka, m.resync.Group, map[string][]int32{m.topic: nil})
	if errors.Is(err, sarama.ErrUnknownTopicOrPartition) { // nothing was ever written
		m.passed = true
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at := offsets.Partitions[m.topic]
	if m.ends == nil {
		m.ends = map[int32]int64{}
		for p, here := range at {
			m.ends[p] = here.Newest
		}
	}
	for p, end := range m.ends {
		if here := at[p]; here.Committed < end && here.Oldest < end { // what expired is not waited for
			return true, nil
		}
	}
	m.passed = true
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
