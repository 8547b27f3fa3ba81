package console

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/people"
	"github.com/feedrank/feedrank/modules/console/pipeline"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

type consoleIn struct {
	fx.In
	Config  Config
	Process Process
	Auth    httpserver.Authenticator
	Health  *ops.Health
	Users   people.Table
	Reader  postgres.Reader
	Metrics *prometheus.Registry
	Sign    Signer
	Clock   core.Clock
	Log     *zap.Logger
}

// Module provides the console. It needs Process, Signer and people.Table from the program.
func Module() fx.Option {
	return fx.Module("console", fx.Provide(
		func(in consoleIn) (*Console, error) {
			return New(Params{
				Config: in.Config, Process: in.Process, Auth: in.Auth, Health: in.Health,
				Flow: pipeline.NewSampler(in.Metrics, in.Clock), People: people.New(in.Reader, in.Users),
				Sign: in.Sign, Clock: in.Clock, Log: in.Log,
			})
		},
		fx.Annotate(func(c *Console) []httpserver.Route { return c.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}

// Off stands in where there is none.
func Off() fx.Option { return fx.Supply((*Console)(nil)) }
