package httpapi

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the feed's calls. It needs what feed.Module provides.
func Module() fx.Option {
	return fx.Module("feed calls",
		fx.Provide(
			NewAPI, NewUpdates, NewAdmin, NewPreview, NewDays,
			func(client *clickhouse.Client) Attribution { return daily.NewClickHouse(client) },
			fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
			fx.Annotate(func(u *Updates) []httpserver.Route { return u.Routes() },
				fx.ResultTags(`group:"routes,flatten"`)),
			fx.Annotate(func(a *Admin) []httpserver.Route { return a.Routes() },
				fx.ResultTags(`group:"routes,flatten"`)),
			fx.Annotate(func(p *Preview) []httpserver.Route { return p.Routes() },
				fx.ResultTags(`group:"routes,flatten"`)),
			fx.Annotate(func(d *Days) []httpserver.Route { return d.Routes() },
				fx.ResultTags(`group:"routes,flatten"`)),
		),
	)
}
