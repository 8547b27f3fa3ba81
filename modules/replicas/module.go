package replicas

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module tells of this process. It needs Process and Breakers from the program.
func Module() fx.Option {
	return fx.Module("replicas", fx.Provide(New), fx.Invoke(func(l fx.Lifecycle, r *Replicas) {
		l.Append(fx.Hook{OnStart: r.Start, OnStop: r.Stop})
	}))
}

// APIModule provides the admin calls.
func APIModule() fx.Option {
	return fx.Module("replicas api", fx.Provide(
		NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
