package resync

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Resync compares every mapped table, or one of them.
//
// A repair goes through Kafka, under the row's key, so that the partition's one writer applies it, and
// only if the copy is still what it was when the comparison read it. ClickHouse is read before PostgreSQL,
// so a repair never beats a later change: either that one was applied before, and the repair is
// dropped, or it comes after and wins.
type Resync struct {
	Params
	hash    hasher
	metrics *metrics
	erased  core.Erased
	texts   func(ctx context.Context, ids []core.ID) (map[core.ID]string, error)
	refused func(ctx context.Context, keys []core.Key) (core.RefusedKeys, error)
}

// Params are what a Resync needs.
type Params struct {
	Config     Config
	Mapping    *mapping.Mapping
	Tables     mapping.Config // that the mapping was made of: another one is another comparison
	Name       string         // of the source, as its records have it
	Slot       string         // of the built-in source
	Group      string         // of the consumer
	Kafka      kafka.Config
	Postgres   *pgxpool.Pool // the app's database
	ClickHouse *clickhouse.Client
	Producer   *kafka.Producer // may be nil for comparisons
	Clock      core.Clock
	Registerer prometheus.Registerer
}

// New makes one.
func New(p Params) *Resync {
	return &Resync{
		Params: p, hash: hasher{seed: maphash.MakeSeed()}, metrics: newMetrics(p.Registerer, p.Clock),
		erased:  core.NobodyErased{},
		texts:   func(context.Context, []core.ID) (map[core.ID]string, error) { return nil, nil },
		refused: func(context.Context, []core.Key) (core.RefusedKeys, error) { return nil, nil },
	}
}

// With is the same with another client of ClickHouse.
func (r *Resync) With(db *clickhouse.Client) *Resync {
	with := *r
	with.ClickHouse = db
	return &with
}

// Without is the same without what names erased people: they are no difference.
func (r *Resync) Without(e core.Erased) *Resync {
	without := *r
	without.erased = e
	return &without
}

// Naming is the same with somebody who knows the keys of numbers that were derived from them.
func (r *Resync) Naming(texts func(ctx context.Context, ids []core.ID) (map[core.ID]string, error)) *Resync {
	naming := *r
	naming.texts = texts
	return &naming
}

// Refusing is the same with somebody who knows of keys whose number is another's.
func (r *Resync) Refusing(refused func(ctx context.Context, keys []core.Key) (core.RefusedKeys, error)) *Resync {
	refusing := *r
	refusing.refused = refused
	return &refusing
}

// Comparison is what was found of one kind.
type Comparison struct {
	Kind       string
	Table      string
	Rows       int64 // in PostgreSQL
	Unreadable int   // rows that the mapping cannot read
	Refused    int   // rows with a key whose number is another's: they are in no copy
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

// Options say what to compare.
type Options struct {
	Table         string // schema.table; empty: all
	Repair        bool
	Settle        time.Duration // a difference must last so long
	Drain         time.Duration // wait so long until what is on its way is applied, else ErrBehind; 0: do not ask
	RowsPerSecond int           // of the app's tables, and a quarter of ClickHouse's time; 0: as fast as it goes
	// Name under which it is remembered how far the comparison came, so that after it was killed the next one
	// of that name goes on. Empty: it is not remembered.
	Name     string
	Rows     func(table string, read, about int64) // now and then, while rows are read, of about how many; may be nil
	Progress func(Comparison)                      // after each kind, those of the killed one included; may be nil
}

// Run compares, and repairs if it is asked to. It returns what differed before repairs.
func (r *Resync) Run(ctx context.Context, o Options) ([]Comparison, error) {
	if o.Repair && r.Producer == nil {
		return nil, errors.New("resync: a repair needs a producer")
	}
	if err := r.erased.Refresh(ctx); err != nil {
		return nil, err
	}
	at, err := r.loadCheckpoint(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, c := range at.Done {
		o.compared(c)
	}
	mapped := false
	for _, k := range mapping.Kinds() {
		s := r.Mapping.Of(k)
		if s == nil || (o.Table != "" && s.Table != o.Table) {
			continue
		}
		mapped = true
		if at.did(k) {
			continue
		}
		c, err := r.kind(ctx, s, o, at)
		if err != nil {
			return at.Done, fmt.Errorf("resync of %s: %w", k, err)
		}
		r.metrics.found(c)
		o.compared(c)
		if err := r.finish(ctx, o, at, c); err != nil {
			return at.Done, err
		}
	}
	if !mapped {
		return nil, fmt.Errorf("resync: table %s is not mapped; mapped are %s", o.Table,
			strings.Join(r.Mapping.Tables(), ", "))
	}
	return at.Done, r.forget(ctx, o)
}

func (o Options) compared(c Comparison) {
	if o.Progress != nil {
		o.Progress(c)
	}
}

// limiter paces the reading of the app's tables.
func (o Options) limiter() *rate.Limiter {
	if o.RowsPerSecond <= 0 {
		return rate.NewLimiter(rate.Inf, progressRows)
	}
	return rate.NewLimiter(rate.Limit(o.RowsPerSecond), progressRows)
}

// progressRows is how many rows are read at one pace, and between two calls of Rows.
const progressRows = 1024

// kind compares one kind chunk by chunk, from where the checkpoint says.
func (r *Resync) kind(ctx context.Context, s *mapping.Source, o Options, at *checkpoint) (Comparison, error) {
	t, err := schema.OpenTable(ctx, r.Postgres, s)
	if err != nil {
		return Comparison{}, err
	}
	if at.Current.Kind != s.Kind.String() {
		at.begin(s)
	}
	c, err := cutOf(ctx, t)
	if err != nil {
		return Comparison{}, err
	}
	w := &walk{
		resync: r, table: t, source: s, cut: c, options: o, found: &at.Current, pace: o.limiter(),
	}
	if w.about, err = r.estimate(ctx, s.Table); err != nil {
		return at.Current, err
	}
	for {
		p, more, err := w.next(ctx, at)
		if err != nil || !more {
			return at.Current, err
		}
		if err := w.compare(ctx, p); err != nil {
			return at.Current, err
		}
		at.advance(p)
		if err := r.save(ctx, o, at); err != nil {
			return at.Current, err
		}
		if err := w.idle(ctx); err != nil {
			return at.Current, err
		}
	}
}
