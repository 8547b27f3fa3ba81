package audit

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the service and its calls. It needs Owners from the program, which also says when
// the service runs.
func Module() fx.Option {
	return fx.Module("audit", fx.Provide(
		provide, NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}

type serviceIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Config     Config
	ClickHouse *clickhouse.Client
	Pool       *pgxpool.Pool
	Owners     Owners
	Names      core.Names
	Clock      core.Clock
	Registry   prometheus.Registerer
	Log        *zap.Logger
}

func provide(in serviceIn) *Service {
	s := NewService(in.Config, NewAuditor(in.Config, in.ClickHouse, in.Owners, in.Clock), in.Pool, in.Names,
		in.Registry, in.Log)
	in.Lifecycle.Append(fx.StopHook(s.Stop))
	return s
}
