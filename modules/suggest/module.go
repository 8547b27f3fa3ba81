package suggest

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Users says whether the app's table of users is copied: then only who is in it is suggested.
type Users bool

// Module provides the calls and the service behind them. It needs a Fallback, Gates,
// LeftOut and Users from the program.
func Module() fx.Option {
	return fx.Module("suggest", fx.Provide(
		newService, NewAPI,
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}

type serviceIn struct {
	fx.In
	Config     Config
	From       core.CountedFrom
	ClickHouse *clickhouse.Client
	Fallback   Fallback
	Gates      Gates
	Redis      *redis.Client
	LeftOut    LeftOut
	Users      Users
	Clock      core.Clock
	Registry   prometheus.Registerer
	Log        *zap.Logger
}

func newService(in serviceIn) (*Service, error) {
	return New(Params{
		Config: in.Config, Source: NewClickHouse(in.Config, in.ClickHouse, in.From), Fallback: in.Fallback,
		Gates: in.Gates,
		Store: NewStore(in.Config, in.Redis, in.Clock), LeftOut: in.LeftOut, Users: bool(in.Users), Clock: in.Clock,
		Log: in.Log, Registerer: in.Registry,
	})
}
