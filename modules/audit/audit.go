package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Owners are the consumers that own the partitions.
type Owners interface {
	// Complete is the first day of which the raw table still has every event.
	Complete() time.Time
	// Lateness is how long before it was applied an event may have occurred.
	Lateness() time.Duration
	// Reconcile has a partition's owner make the views of some days say what the raw table says.
	Reconcile(ctx context.Context, partition int, first, last time.Time) (wrong uint64, err error)
}

// Auditor runs audits.
type Auditor struct {
	cfg    Config
	db     *clickhouse.Client
	owners Owners
	clock  core.Clock

	patience time.Duration // with an owner
}

// NewAuditor makes one.
func NewAuditor(cfg Config, db *clickhouse.Client, owners Owners, clock core.Clock) *Auditor {
	return &Auditor{cfg: cfg, db: db, owners: owners, clock: clock, patience: reconcilePatience}
}

// Options say what to audit.
type Options struct {
	Since  time.Duration // how far back
	Repair bool          // have wrong counts put right
}

// Run audits. After an error the report says what was found before it.
func (a *Auditor) Run(ctx context.Context, o Options) (Report, error) {
	now := a.clock.Now().UTC()
	r := Report{
		StartedAt: now, From: now.Add(-o.Since), Repair: o.Repair, Counts: map[Kind]uint64{},
		Findings: []Finding{},
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	err := a.run(ctx, &r, o)
	if err != nil {
		r.Error = err.Error()
	}
	r.FinishedAt = a.clock.Now().UTC()
	return r, err
}

func (a *Auditor) run(ctx context.Context, r *Report, o Options) error {
	if err := a.coverage(ctx, r); err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	from := later(r.From, a.owners.Complete())
	partitions, err := a.partitions(ctx, from, r.StartedAt)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if err := a.eventsTwice(ctx, r, p, from); err != nil {
			return fmt.Errorf("uniqueness: %w", err)
		}
	}
	suspects, err := a.recount(ctx, r, partitions, from)
	if err != nil {
		return fmt.Errorf("recount: %w", err)
	}
	if o.Repair {
		return a.repair(ctx, r, suspects)
	}
	for _, s := range suspects {
		r.add(s.finding(false))
	}
	return nil
}

func (a *Auditor) partitions(ctx context.Context, from, to time.Time) (all []uint16, err error) {
	var column proto.ColUInt16
	err = a.ask(ctx, "audit_partitions", proto.Results{{Name: "kafka_partition", Data: &column}}, func() {
		all = append(all, column...)
	}, clickhouse.Param("from", from.Unix()), clickhouse.Param("to", to.Unix()))
	return all, err
}

// ask runs a query of ours within its bounds.
func (a *Auditor) ask(ctx context.Context, name string, result proto.Results, each func(),
	params ...clickhouse.Parameter,
) error {
	return a.read(ctx, name, sql.ClickHouse(name), result, each, params...)
}

// read never takes more than two of the server's cores and its share of memory: others come first.
func (a *Auditor) read(ctx context.Context, name, statement string, result proto.Results, each func(),
	params ...clickhouse.Parameter,
) error {
	return a.db.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: statement, Parameters: params, Result: result,
		Settings: []ch.Setting{
			{Key: "max_memory_usage", Value: fmt.Sprint(a.cfg.MaxMemory), Important: true},
			{Key: "max_bytes_before_external_group_by", Value: fmt.Sprint(a.cfg.MaxMemory / 2), Important: true},
			{Key: "max_threads", Value: "2", Important: true},
		},
		OnResult: func(context.Context, proto.Block) error { each(); return nil },
	}})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func insertSorted(all []uint16, p uint16) []uint16 {
	i, found := slices.BinarySearch(all, p)
	if found {
		return all
	}
	return slices.Insert(all, i, p)
}
