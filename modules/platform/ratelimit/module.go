package ratelimit

import (
	"context"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Module provides the server's limits, and shares them among the replicas.
func Module() fx.Option {
	return fx.Module("rate limits", fx.Provide(
		NewRequests,
		(*Requests).Limits,
	), fx.Invoke(func(lc fx.Lifecycle, r *Requests, failure worker.Failure) {
		workers := worker.NewGroup(failure)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("rate limits", r.sync.Run)
				return nil
			},
			OnStop: workers.Stop,
		})
	}))
}

// Off stands in where nothing is limited.
func Off() fx.Option { return fx.Supply(httpserver.Limits{}) }
