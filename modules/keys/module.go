package keys

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Module provides the book of keys.
func Module() fx.Option { return fx.Module("keys", fx.Provide(newBook)) }

type bookIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Config     Config
	ClickHouse *clickhouse.Client
	Guard      Guard `optional:"true"` // where requests are answered
	Kept       Kept  `optional:"true"`
	Clock      core.Clock
	Registry   prometheus.Registerer
	Log        *zap.Logger
}

func newBook(in bookIn) *Book {
	b := New(Params{
		Config: in.Config, ClickHouse: in.ClickHouse, Guard: in.Guard, Kept: in.Kept, Clock: in.Clock,
		Registry: in.Registry, Log: in.Log,
	})
	in.Lifecycle.Append(fx.Hook{OnStart: b.Start, OnStop: b.Stop})
	return b
}
