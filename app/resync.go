package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Resync compares the app's tables with their copies, all or one of them, and with repair sends what
// sets them right to the CDC consumer. A row counts if it differs for as long as settle. It returns how many rows
// differed.
func Resync(ctx context.Context, cfg config.Config, table string, repair bool, settle time.Duration,
	out io.Writer,
) (differences int, err error) {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	reg := prometheus.NewRegistry()
	cfg.ClickHouse.QueryTimeout = max(cfg.ClickHouse.QueryTimeout, time.Hour) // whole tables are read
	db := clickhouse.New(cfg.ClickHouse, reg)
	defer db.Close()
	producer := kafka.NewProducer(cfg.Kafka)
	defer func() { _ = producer.Close() }() // every send was acknowledged
	r, err := cdc.NewResync(cfg.CDC, cfg.Kafka, pool, db, producer, core.SystemClock{}, reg)
	if err != nil {
		return 0, err
	}
	if table != "" && !strings.Contains(table, ".") {
		table = "public." + table
	}
	p := newProgress(out)
	book := bookBeside(cfg, db)
	r = r.Naming(book.Texts).Refusing(book.Refused).Without(erase.NewList(db, zap.NewNop()))
	found, err := r.Run(ctx, resync.Options{
		Table: table, Repair: repair, Settle: settle, Drain: cfg.CDC.Resync.Drain, Name: "command", Rows: p.rows,
		Progress: p.compared,
	})
	for _, c := range found {
		differences += c.Differences()
	}
	return differences, err
}

// progress tells how far a comparison is, with a line for each kind at its end.
type progress struct {
	*Progress
	out   io.Writer
	read  int64 // rows of the table
	watch core.Stopwatch
}

func newProgress(out io.Writer) *progress {
	return &progress{Progress: NewProgress(out), out: out, watch: core.StartStopwatch()}
}

func (p *progress) rows(table string, n, about int64) {
	p.read += n
	p.Show(table, p.read, about)
}

func (p *progress) compared(c resync.Comparison) {
	p.End()
	p.read = 0
	said := "equal"
	if !c.Equal() {
		said = fmt.Sprintf("%d missing, %d wrong, %d too many, %d with wrong edges: %s", c.Missing, c.Wrong, c.TooMany,
			c.Edges, strings.Join(c.Examples, " "))
		if c.Differences() > len(c.Examples) {
			said += " ..."
		}
	}
	if c.Repairs > 0 {
		said += fmt.Sprintf("; %d repairs sent", c.Repairs)
	}
	if c.Unreadable > 0 {
		said += fmt.Sprintf("; %d rows that the mapping cannot read", c.Unreadable)
	}
	if c.Refused > 0 {
		said += fmt.Sprintf("; %d rows with a key whose number is another's", c.Refused)
	}
	// what cannot be written is no reason to stop
	_, _ = fmt.Fprintf(p.out, "%-8s %-24s %9d rows  %6.1f s  %s\n", c.Kind, c.Table, c.Rows,
		p.watch.Elapsed().Seconds(), said)
	p.watch = core.StartStopwatch()
}

// resyncJob compares now and then, at the configured pace. A run that ends early goes on with the next.
func resyncJob() fx.Option {
	return fx.Provide(fx.Annotate(func(cfg cdc.Config, k kafka.Config, own clickhouse.Config, pool *pgxpool.Pool,
		producer *kafka.Producer, erased *erase.List, book *keys.Book, clock core.Clock, reg prometheus.Registerer,
		log *zap.Logger,
	) (jobs.Job, error) {
		own.QueryTimeout = max(own.QueryTimeout, time.Hour) // whole tables are read
		own.MaxConns = 2
		log = log.Named("cdc.resync")
		r, err := cdc.NewResync(cfg, k, pool, nil, producer, clock, reg)
		if err != nil {
			return jobs.Job{}, err
		}
		o := resync.Options{
			Repair: cfg.Resync.Repair, Settle: cfg.Resync.Settle, Drain: cfg.Resync.Drain,
			RowsPerSecond: cfg.Resync.RowsPerSecond, Name: "job",
			Progress: func(c resync.Comparison) {
				if c.Equal() {
					log.Info("copy equals its table", zap.String("kind", c.Kind), zap.Int64("rows", c.Rows))
					return
				}
				log.Error("copy differed from its table", zap.String("kind", c.Kind), zap.Int64("rows", c.Rows),
					zap.Int("missing", c.Missing),
					zap.Int("wrong", c.Wrong), zap.Int("too_many", c.TooMany), zap.Int("edges", c.Edges),
					zap.Int("repairs", c.Repairs), zap.Strings("examples", c.Examples))
			},
		}
		return jobs.Job{
			Name: "resync", Every: cfg.Resync.Every, Jitter: 10, Timeout: cfg.Resync.Timeout,
			// a repair counts only if its row has not changed: no fence is needed
			Run: func(ctx context.Context, _ int64) error {
				ready, err := r.Ready(ctx)
				if err != nil {
					return err
				}
				if !ready {
					log.Info("not compared: the tables have not been read for the first time")
					return nil
				}
				db := clickhouse.New(own, prometheus.NewRegistry())
				defer db.Close()
				_, err = r.With(db).Naming(book.Texts).Refusing(book.Refused).Without(erased).Run(ctx, o)
				return err
			},
		}, nil
	}, fx.ResultTags(`group:"jobs"`)))
}
