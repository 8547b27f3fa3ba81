package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// snapshotState is how far the snapshot of one table came.
type snapshotState struct {
	Table   string
	LastKey string // JSON array of texts; empty: from the beginning
	Sweep   pglogrepl.LSN
	SweepAt time.Time // when the log was there
	Done    bool
	Waits   bool // it is not to be read yet

	Lost        bool // changes were lost
	Relation    uint32
	Publication uint32
	Key         string
	Partitions  string
}

func (s *Source) readSnapshots(ctx context.Context, db *pgx.Conn) (map[string]snapshotState, error) {
	rows, err := db.Query(ctx, sql.Postgres("cdc_snapshots"), s.cfg.Slot)
	if err != nil {
		return nil, fmt.Errorf("snapshots of %s: %w", s.cfg.Slot, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[snapshotState])
	if err != nil {
		return nil, fmt.Errorf("snapshots of %s: %w", s.cfg.Slot, err)
	}
	found := map[string]snapshotState{}
	for _, state := range all {
		found[state.Table] = state
	}
	return found, nil
}

// snapshots reads every table that was not read to its end. In the session that made the slot, all are
// read as of the slot's consistent point. Later ones read a younger state: what changed in between
// follows in the log once more, and the log decides.
func (s *Source) snapshots(ctx context.Context, db *pgx.Conn, at start, out *sink) (err error) {
	known, err := s.readSnapshots(ctx, db)
	if err != nil {
		return err
	}
	var left []*table
	for _, t := range at.tables {
		if state, ok := known[t.fullName()]; ok && !state.Done && !state.Waits {
			left = append(left, t)
		}
	}
	s.metrics.snapshotLeft.Set(float64(len(left)))
	if len(left) == 0 {
		return nil
	}
	reader, err := s.connect(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeConn(reader)) }()
	tx, err := reader.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin the snapshot: %w", err)
	}
	if at.snapshot != "" {
		if _, err := tx.Exec(ctx, "SET TRANSACTION SNAPSHOT '"+at.snapshot+"'"); err != nil {
			return fmt.Errorf("import the slot's snapshot: %w", err)
		}
	}
	for i, t := range left {
		if err := s.snapshotTable(ctx, db, tx, at, t, known[t.fullName()], out); err != nil {
			return fmt.Errorf("snapshot of %s: %w", t.fullName(), err)
		}
		s.metrics.snapshotLeft.Set(float64(len(left) - i - 1))
	}
	return tx.Commit(ctx)
}

// snapshotTable sends a table's rows in the order of its key, chunk by chunk, then a truncate for what
// the copy has from before.
func (s *Source) snapshotTable(ctx context.Context, db *pgx.Conn, tx pgx.Tx, at start, t *table, state snapshotState,
	out *sink,
) error {
	// The lock comes first: a truncate is then wholly before the position, or wholly after us.
	if _, err := tx.Exec(ctx, "LOCK TABLE "+t.quoted()+" IN ACCESS SHARE MODE"); err != nil {
		return err
	}
	m := moment{snapshot: "true"}
	var lsn pglogrepl.LSN
	if err := tx.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn(), clock_timestamp()").Scan(&lsn,
		&m.committedAt); err != nil {
		return err
	}
	m.lsn = uint64(lsn)
	e := s.encoder(at)
	var last []string
	if state.LastKey != "" {
		if err := json.Unmarshal([]byte(state.LastKey), &last); err != nil {
			return fmt.Errorf("last_key %s: %w", state.LastKey, err)
		}
	}
	watch, rows := core.StartStopwatch(), 0
	for {
		next, n, err := s.snapshotChunk(ctx, tx, t, last, m, e, out)
		if err != nil {
			return err
		}
		rows += n
		done := n < s.cfg.SnapshotRows
		if done {
			if err := s.sweep(ctx, t, state, m, e, out); err != nil {
				return err
			}
		}
		if err := s.settled(ctx, out); err != nil {
			return err
		}
		if n > 0 {
			last = next
		}
		if err := s.saveSnapshot(ctx, db, at.lead, state.Table, last, done); err != nil {
			return err
		}
		if done {
			s.log.Info("snapshot of a table is complete", zap.String("table", state.Table), zap.Int("rows", rows),
				zap.Duration("took", watch.Elapsed()))
			return nil
		}
	}
}

func (s *Source) snapshotChunk(ctx context.Context, tx pgx.Tx, t *table, last []string, m moment, e encoder,
	out *sink,
) ([]string, int, error) {
	args := []any{pgx.QueryResultFormats{pgx.TextFormatCode}}
	for _, v := range last {
		args = append(args, v)
	}
	rows, err := tx.Query(ctx, chunkQuery(t, len(last) > 0, s.cfg.SnapshotRows), args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	txn := out.begin()
	defer out.seal(txn, 0)
	row := make([]value, len(t.columns))
	n := 0
	for rows.Next() {
		for i, text := range rows.RawValues() {
			row[i] = value{text: text, null: text == nil}
		}
		if err := s.put(ctx, out, txn, e, t, envelope.Read, nil, row, m, nil); err != nil {
			return nil, n, err
		}
		n++
		if n == s.cfg.SnapshotRows {
			last = last[:0]
			for _, k := range t.key {
				last = append(last, string(row[k].text))
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, n, err
	}
	s.metrics.snapshotRows.WithLabelValues(t.fullName()).Add(float64(n))
	return last, n, nil
}

// chunkQuery reads the next rows by the key, whose index gives the order.
func chunkQuery(t *table, after bool, limit int) string {
	var columns, keys, params []string
	for _, c := range t.columns {
		columns = append(columns, pgx.Identifier{c.name}.Sanitize())
	}
	for n, i := range t.key {
		keys = append(keys, columns[i])
		params = append(params, fmt.Sprintf("$%d::text::%s", n+1, t.columns[i].typ))
	}
	where := ""
	if after {
		where = fmt.Sprintf("WHERE (%s) > (%s)", strings.Join(keys, ", "), strings.Join(params, ", "))
	}
	return fmt.Sprintf("SELECT %s FROM %s %s ORDER BY %s LIMIT %d",
		strings.Join(columns, ", "), t.quoted(), where, strings.Join(keys, ", "), limit)
}

// sweep sends the truncate that takes with it what the snapshot did not bring. Its position is the
// slot's first: all that the snapshot and the log after it bring was written later. Its time is of that position, too:
// of the truncates of a cluster the latest is remembered, and that must not be this one when the log has one after it.
func (s *Source) sweep(ctx context.Context, t *table, state snapshotState, m moment, e encoder, out *sink) error {
	m.lsn, m.committedAt = uint64(state.Sweep), state.SweepAt
	txn := out.begin()
	defer out.seal(txn, 0)
	return s.deliver(ctx, out, txn, &sarama.ProducerMessage{
		Topic: s.topic(t.fullName()), Value: sarama.ByteEncoder(e.change(t, envelope.Truncate, nil, nil, m)),
	})
}

// settled waits until Kafka has all that was sent.
func (s *Source) settled(ctx context.Context, out *sink) error {
	for !out.drained() {
		select {
		case <-out.freed:
		case <-out.failed:
			return out.failure()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *Source) saveSnapshot(ctx context.Context, db *pgx.Conn, lead int64, table string, last []string,
	done bool,
) error {
	key, err := json.Marshal(last)
	if err != nil {
		return err
	}
	saved, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_save"), s.cfg.Slot, table, string(key), done, lead)
	if err == nil && saved.RowsAffected() == 0 {
		err = errLostLead
	}
	if err != nil {
		return fmt.Errorf("save the snapshot's place: %w", err)
	}
	s.state.well()
	return nil
}

func (s *Source) encoder(at start) encoder {
	return encoder{
		name: s.name, database: at.database, system: at.system, timeline: at.timeline, lead: at.lead, now: s.clock.Now,
	}
}
