package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/sql"
)

// Exporter hands out what is held of people.
type Exporter struct {
	db    *clickhouse.Client
	pool  *pgxpool.Pool
	redis *redis.Client
	keys  erase.Keys
	clock core.Clock
}

// New makes an exporter. It dials nothing.
func New(db *clickhouse.Client, pool *pgxpool.Pool, r *redis.Client, keys erase.Keys, clock core.Clock) *Exporter {
	return &Exporter{db: db, pool: pool, redis: r, keys: keys, clock: clock}
}

// Head is the first line: of whom it is.
type Head struct {
	User   core.Key  `json:"user"`
	Number core.ID   `json:"number"` // by which rows name them
	At     time.Time `json:"at"`
}

// Tail is the last line: whether all of it is there.
type Tail struct {
	Complete bool             `json:"complete"`
	Error    string           `json:"error,omitempty"`
	Rows     map[string]int64 `json:"rows"` // by their places
}

// line is one of the export.
type line struct {
	From string `json:"from"`
	Row  any    `json:"row"`
}

// itself is where the first and the last line are from.
const itself = "feedrank"

// writer writes lines and counts them.
type writer struct {
	out      *json.Encoder
	rows     map[string]int64
	progress func(place string, rows int64)
}

func (w *writer) row(place string, row any) error {
	if err := w.out.Encode(line{From: place, Row: row}); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if w.rows[place]++; w.rows[place]%1000 == 0 {
		w.progress(place, w.rows[place])
	}
	return nil
}

// Run writes what is held of a person. progress is told how far it is.
func (e *Exporter) Run(ctx context.Context, user core.Key, out io.Writer, progress func(place string, rows int64),
) (Tail, error) {
	w := &writer{out: json.NewEncoder(out), rows: map[string]int64{}, progress: progress}
	w.out.SetEscapeHTML(false)
	head := line{From: itself, Row: Head{User: user, Number: user.ID, At: e.clock.Now().UTC()}}
	if err := w.out.Encode(head); err != nil {
		return Tail{}, fmt.Errorf("write: %w", err)
	}
	err := e.rows(ctx, user, w)
	tail := Tail{Complete: err == nil, Rows: w.rows}
	if err != nil {
		tail.Error = "not everything could be read: see the log, and export again"
	}
	return tail, errors.Join(err, w.out.Encode(line{From: itself, Row: tail}))
}

func (e *Exporter) rows(ctx context.Context, user core.Key, w *writer) error {
	if err := e.fromClickHouse(ctx, user.ID, w); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	if err := e.fromPostgres(ctx, user, w); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := e.fromRedis(ctx, user.ID, w); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

func (e *Exporter) fromClickHouse(ctx context.Context, user core.ID, w *writer) error {
	var place, row proto.ColStr
	return e.db.Read(ctx, clickhouse.Query{Name: "export_person", Query: ch.Query{
		Body: sql.ClickHouse("export_person"), Parameters: clickhouse.Params(map[string]any{"user": user}),
		Settings: clickhouse.Job,
		Result:   proto.Results{{Name: "place", Data: &place}, {Name: "line", Data: &row}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range place.Rows() {
				if err := w.row("clickhouse."+place.Row(i), json.RawMessage(row.Row(i))); err != nil {
					return err
				}
			}
			return nil
		},
	}})
}

func (e *Exporter) fromPostgres(ctx context.Context, user core.Key, w *writer) error {
	rows, err := e.pool.Query(ctx, sql.Postgres("export_person"), []string{user.String(), user.ID.String()})
	if err != nil {
		return err
	}
	var place, row string
	_, err = pgx.ForEachRow(rows, []any{&place, &row}, func() error {
		return w.row("postgres."+place, json.RawMessage(row))
	})
	return err
}
