package jobs

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Module runs the jobs of the group "jobs".
func Module() fx.Option { return fx.Module("jobs", fx.Invoke(run)) }

// APIModule provides the admin calls, in replicas that run jobs or not.
func APIModule() fx.Option {
	return fx.Module("jobs api", fx.Provide(
		func(cfg Config, pool *pgxpool.Pool) *History { return NewHistory(pool, cfg.History) },
		NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}

type runnerIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Config    Config
	Jobs      []Job `group:"jobs"`
	Postgres  postgres.Config
	Pool      *pgxpool.Pool
	Clock     core.Clock
	Registry  prometheus.Registerer
	Log       *zap.Logger
}

func run(in runnerIn) error {
	r, err := NewRunner(Params{
		Config: in.Config, Jobs: in.Jobs, Postgres: in.Postgres, Pool: in.Pool,
		Clock: in.Clock, Log: in.Log, Registerer: in.Registry,
	})
	if err != nil {
		return err
	}
	in.Lifecycle.Append(fx.Hook{OnStart: r.Start, OnStop: r.Stop})
	return nil
}
