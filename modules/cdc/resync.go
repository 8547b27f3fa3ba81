package cdc

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Resync compares the app's tables with their copies while changes go on, and repairs what differs.
//
// A repair goes through Kafka, under the row's key, so that the partition's one writer applies it, and
// only if the copy is still what it was when the comparison read it. ClickHouse is read before PostgreSQL,
// so a repair never beats a later change: either that one was applied before, and the repair is
// dropped, or it comes after and wins.
type Resync struct {
	cfg      Config
	mapping  *mapping.Mapping
	pg       *pgxpool.Pool
	db       *clickhouse.Client
	producer *kafka.Producer
	hash     hasher
	metrics  *resyncMetrics
}

// NewResync makes one. producer may be nil for comparisons.
func NewResync(cfg Config, k kafka.Config, pg *pgxpool.Pool, db *clickhouse.Client, producer *kafka.Producer, reg prometheus.Registerer) (*Resync, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	return &Resync{
		cfg: cfg, mapping: m, pg: pg, db: db, producer: producer, hash: hasher{seed: maphash.MakeSeed()}, metrics: newResyncMetrics(reg),
	}, nil
}

// Comparison is what was found of one kind.
type Comparison struct {
	Kind       string
	Table      string
	Rows       int64 // in PostgreSQL
	Unreadable int   // rows that the mapping cannot read
	Missing    int   // in ClickHouse
	Wrong      int
	TooMany    int
	Edges      int      // rows that are right, whose edges in viewer_edges are not
	Repairs    int      // sent
	Examples   []string // keys of some that differ
}

// Differences counts the rows that differ.
func (c Comparison) Differences() int { return c.Missing + c.Wrong + c.TooMany + c.Edges }

// Equal tells whether nothing differs.
func (c Comparison) Equal() bool { return c.Differences() == 0 }

// ResyncOptions say what to compare.
type ResyncOptions struct {
	Table    string // schema.table; empty: all
	Repair   bool
	Settle   time.Duration             // a difference must last so long: what is on its way is none
	Rows     func(table string, n int) // now and then, while rows are read; may be nil
	Progress func(Comparison)          // after each kind; may be nil
}

// Run compares, and repairs if it is asked to. It returns what differed before repairs.
func (r *Resync) Run(ctx context.Context, o ResyncOptions) ([]Comparison, error) {
	if o.Repair && r.producer == nil {
		return nil, errors.New("resync: a repair needs a producer")
	}
	var all []Comparison
	for _, k := range mapping.Kinds() {
		s := r.mapping.Of(k)
		if s == nil || (o.Table != "" && s.Table != o.Table) {
			continue
		}
		c, err := r.kind(ctx, s, o)
		if err != nil {
			return all, fmt.Errorf("resync of %s: %w", k, err)
		}
		all = append(all, c)
		r.metrics.found(c)
		if o.Progress != nil {
			o.Progress(c)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("resync: table %s is not mapped; mapped are %s", o.Table, strings.Join(r.mapping.Tables(), ", "))
	}
	return all, nil
}

// progressRows is how many rows are read between two calls of Rows.
const progressRows = 1024

// maxCandidates bounds the rows that are held in memory: buckets that differ are looked at in groups.
const maxCandidates = 100_000

func (r *Resync) kind(ctx context.Context, s *mapping.Source, o ResyncOptions) (c Comparison, err error) {
	c = Comparison{Kind: s.Kind.String(), Table: s.Table}
	t, err := liveColumns(ctx, r.pg, s.Table)
	if err != nil {
		return c, err
	}
	pool, err := r.pg.Acquire(ctx)
	if err != nil {
		return c, fmt.Errorf("postgres connect: %w", err)
	}
	defer pool.Release()
	conn := pool.Conn()
	if _, err := conn.Exec(ctx, "SET statement_timeout = 0"); err != nil {
		return c, err
	}
	defer func() {
		_, err2 := conn.Exec(context.WithoutCancel(ctx), "RESET statement_timeout")
		err = errors.Join(err, err2)
	}()

	var copied, wanted [buckets]bucket
	read := 0
	add := func(to *[buckets]bucket, key string, sum uint64) {
		b := &to[r.hash.bucket(key)]
		b.rows++
		b.sum += sum
		if read++; o.Rows != nil && read%progressRows == 0 {
			o.Rows(s.Table, progressRows)
		}
	}
	if err := scanCopy(ctx, r.db, s.Kind, func(key string, row mapping.Row) { add(&copied, key, r.hash.row(key, row)) }); err != nil {
		return c, err
	}
	if err := scanEdges(ctx, r.db, s.Kind, func(e edge) { copied[r.hash.bucket(e.key)].sum += r.hash.edge(e) }); err != nil {
		return c, err
	}
	if _, c.Unreadable, err = scanOriginals(ctx, conn, s, t, func(key string, row originalRow) {
		c.Rows++
		add(&wanted, key, r.hash.whole(s.Kind, key, row.Row))
	}); err != nil {
		return c, err
	}
	group, size := map[int]bool{}, int64(0)
	for i := range buckets {
		if copied[i] != wanted[i] {
			group[i] = true
			size += copied[i].rows + wanted[i].rows
		}
		if size > maxCandidates || (i == buckets-1 && len(group) > 0) {
			if err := r.group(ctx, conn, s, t, group, o, &c); err != nil {
				return c, err
			}
			group, size = map[int]bool{}, 0
		}
	}
	return c, nil
}

// group looks at the rows of some buckets: first which differ at all, then which of them still do after
// a while.
func (r *Resync) group(ctx context.Context, conn *pgx.Conn, s *mapping.Source, t liveTable, in map[int]bool, o ResyncOptions, c *Comparison) error {
	sums := map[string]uint64{}
	if err := scanCopy(ctx, r.db, s.Kind, func(key string, row mapping.Row) {
		if in[r.hash.bucket(key)] {
			sums[key] = r.hash.row(key, row)
		}
	}); err != nil {
		return err
	}
	if err := scanEdges(ctx, r.db, s.Kind, func(e edge) {
		if in[r.hash.bucket(e.key)] {
			sums[e.key] += r.hash.edge(e)
		}
	}); err != nil {
		return err
	}
	candidates := map[string]bool{}
	if _, _, err := scanOriginals(ctx, conn, s, t, func(key string, row originalRow) {
		if !in[r.hash.bucket(key)] {
			return
		}
		if sum, ok := sums[key]; !ok || sum != r.hash.whole(s.Kind, key, row.Row) {
			candidates[key] = true
		}
		delete(sums, key)
	}); err != nil {
		return err
	}
	for key := range sums {
		candidates[key] = true
	}
	deadline := time.Now().Add(o.Settle)
	for {
		found, at, err := r.differences(ctx, conn, s, t, candidates)
		if err != nil || len(found) == 0 {
			return err
		}
		if !time.Now().Before(deadline) {
			return r.report(ctx, s, t, found, at, o, c)
		}
		candidates = map[string]bool{}
		for _, d := range found {
			candidates[d.key] = true
		}
		if err := pauseFor(ctx, min(500*time.Millisecond, time.Until(deadline))); err != nil {
			return err
		}
	}
}

// difference is a row that is not the same on both sides.
type difference struct {
	key      string
	version  uint64 // of the copy that was seen, deleted or not; zero: there is none
	have     bool
	original *originalRow // nil: the app has none
	edges    bool         // that is all
}

// differences reads the candidates again: ClickHouse first, then PostgreSQL.
func (r *Resync) differences(ctx context.Context, conn *pgx.Conn, s *mapping.Source, t liveTable, candidates map[string]bool) ([]difference, origin, error) {
	keys := make([]string, 0, len(candidates))
	for key := range candidates {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	copies, err := lookup(ctx, r.db, s.Kind, keys)
	if err != nil {
		return nil, origin{}, err
	}
	edges := map[string]uint64{}
	if err := scanEdges(ctx, r.db, s.Kind, func(e edge) {
		if candidates[e.key] {
			edges[e.key] += r.hash.edge(e)
		}
	}); err != nil {
		return nil, origin{}, err
	}
	wanted := map[string]originalRow{}
	at, _, err := scanOriginals(ctx, conn, s, t, func(key string, row originalRow) {
		if candidates[key] {
			wanted[key] = row
		}
	})
	if err != nil {
		return nil, origin{}, err
	}
	var found []difference
	for _, key := range keys {
		have, known := copies[key]
		want, exists := wanted[key]
		d := difference{key: key, version: have.Version, have: known && !have.Gone}
		if exists {
			d.original = &want
		}
		var wantedEdges uint64
		if exists {
			wantedEdges = r.hash.whole(s.Kind, key, want.Row) - r.hash.row(key, want.Row)
		}
		d.edges = d.have == exists && (!exists || r.hash.row(key, have.Row) == r.hash.row(key, want.Row))
		if !d.edges || edges[key] != wantedEdges {
			found = append(found, d)
		}
	}
	return found, at, nil
}

func (r *Resync) report(ctx context.Context, s *mapping.Source, t liveTable, found []difference, at origin, o ResyncOptions, c *Comparison) error {
	for _, d := range found {
		switch {
		case d.edges:
			c.Edges++
		case !d.have:
			c.Missing++
		case d.original == nil:
			c.TooMany++
		default:
			c.Wrong++
		}
		if len(c.Examples) < 10 {
			c.Examples = append(c.Examples, d.key)
		}
	}
	if !o.Repair {
		return nil
	}
	n, err := r.repair(ctx, s, t, found, at)
	c.Repairs += n
	return err
}

func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
