package order

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// APIModule provides the admin calls. It needs a *API's parts from the program.
func APIModule() fx.Option {
	return fx.Module("erase api", fx.Provide(
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}
