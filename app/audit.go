package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// auditedOwners are the owners of the events' partitions as an audit asks for them.
type auditedOwners struct {
	*ledger.Owners
	cfg events.Config
}

var _ audit.Owners = auditedOwners{}

// Lateness is how long before it was applied an event may have occurred: what the API accepts and then
// waits in Kafka, and a day for outages that retention outlives.
func (o auditedOwners) Lateness() time.Duration {
	return o.cfg.AcceptedAge + o.cfg.Retention + 24*time.Hour
}

// ErrAudit tells that an audit found something wrong.
var ErrAudit = errors.New("the audit found something wrong")

// audits recount what the events consumer has done, as a job and on request.
func audits() fx.Option {
	return fx.Options(audit.Module(), fx.Provide(
		func(cfg events.Config, client *clickhouse.Client, clock core.Clock) audit.Owners {
			return auditedOwners{ledger.NewOwners(cfg.Log(), cfg.InsertTimeout, client, clock), cfg}
		},
		fx.Annotate(auditJob, fx.ResultTags(`group:"jobs"`)),
	))
}

// auditSlack is what an audit may take beyond its own timeout, to keep its report.
const auditSlack = time.Minute

func auditJob(cfg audit.Config, service *audit.Service) jobs.Job {
	return jobs.Job{
		Name: "audit", Every: cfg.Every, Jitter: 10, Timeout: cfg.Timeout + auditSlack,
		Run: func(ctx context.Context, _ int64) error { // the audit has a lock of its own
			report, err := service.Run(ctx, service.Defaults())
			switch {
			case errors.Is(err, audit.ErrRunning): // somebody asked for one
				return nil
			case err == nil && !report.OK():
				return ErrAudit
			}
			return err
		},
	}
}

// WithAudit gives f an audit beside a running program.
func WithAudit(ctx context.Context, cfg config.Config, f func(*audit.Service) error) error {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	return withClickHouse(cfg, func(client *clickhouse.Client) error {
		owners := auditedOwners{ledger.NewOwners(cfg.Events.Log(), cfg.Events.InsertTimeout, client,
			core.SystemClock{}), cfg.Events}
		auditor := audit.NewAuditor(cfg.Audit, client, owners, core.SystemClock{})
		return f(audit.NewService(cfg.Audit, auditor, pool, bookBeside(cfg, client), prometheus.NewRegistry(),
			zap.NewNop()))
	})
}

// WithOwners gives f a client of the owners of the events' partitions.
func WithOwners(cfg config.Config, f func(*ledger.Owners) error) error {
	return withClickHouse(cfg, func(client *clickhouse.Client) error {
		return f(ledger.NewOwners(cfg.Events.Log(), cfg.Events.InsertTimeout, client, core.SystemClock{}))
	})
}

func withClickHouse(cfg config.Config, f func(*clickhouse.Client) error) error {
	client := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	defer client.Close()
	return f(client)
}
