package deadletter

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Module provides the service. Who writes letters makes a Publisher, with the same Metrics.
func Module() fx.Option {
	return fx.Module("dead-letters", fx.Provide(
		NewMetrics, NewOrders, NewJob,
		func(cfg Config, k kafka.Config, p *kafka.Producer, clock core.Clock, m *Metrics) *Service {
			return NewService(cfg, k, p, clock, m)
		},
	))
}

// APIModule offers the letters to operators. It needs a Scheduler.
func APIModule() fx.Option {
	return fx.Module("dead-letters-api", fx.Provide(
		NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
