package erase

import (
	"context"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Module provides the list of who is erased, and keeps it up to date.
func Module() fx.Option {
	return fx.Module("erase", fx.Provide(NewList), fx.Invoke(func(lc fx.Lifecycle, l *List, failure worker.Failure) {
		workers := worker.NewGroup(failure)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("who is erased", l.Run)
				return nil
			},
			OnStop: workers.Stop,
		})
	}))
}
