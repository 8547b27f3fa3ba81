package ops

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the metrics registry, the calls of operation and the level of the log.
func Module() fx.Option {
	return fx.Module("ops", fx.Provide(
		NewRegistry,
		func(r *prometheus.Registry) prometheus.Registerer { return r },
		fx.Annotate(NewHealth, fx.ParamTags(`group:"checks"`)),
		func(h *Health) httpserver.Drainer { return h },
		fx.Annotate((*Health).Routes, fx.ResultTags(`group:"routes,flatten"`)),
		fx.Annotate(NewLevel, fx.OnStop((*Level).Stop)),
		fx.Annotate((*Level).Routes, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
