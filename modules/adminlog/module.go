package adminlog

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the log, its calls, and what the server hands actions to.
func Module() fx.Option {
	return fx.Module("admin log", fx.Provide(
		func(lc fx.Lifecycle, pool *pgxpool.Pool, reg prometheus.Registerer, log *zap.Logger) *Log {
			l := New(pool, reg, log)
			lc.Append(fx.StartStopHook(l.Start, l.Stop))
			return l
		},
		func(l *Log) httpserver.Recorder { return l },
		NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
