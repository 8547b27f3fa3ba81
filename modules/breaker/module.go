package breaker

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the breakers and their admin calls.
func Module() fx.Option {
	return fx.Module("breaker",
		fx.Provide(
			NewSet, NewAPI,
			fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
		),
	)
}
