package deadletter

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Module offers the letters: the service and its calls. Who writes letters makes a Publisher, with the
// same Metrics.
func Module() fx.Option {
	return fx.Module("dead-letters", fx.Provide(
		func(cfg Config, k kafka.Config, p *kafka.Producer, clock core.Clock, m *Metrics) *Service {
			return NewService(cfg, k, p, clock, m)
		},
		NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
