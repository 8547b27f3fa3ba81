package admission

import (
	"context"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Module provides the gate.
func Module() fx.Option {
	return fx.Module("admission", fx.Provide(New), fx.Invoke(func(lc fx.Lifecycle, g *Gate, failure worker.Failure) {
		workers := worker.NewGroup(failure)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("admission", g.Run)
				return nil
			},
			OnStop: workers.Stop,
		})
	}))
}

// Off stands in where everything is let in.
func Off() fx.Option { return fx.Supply((*Gate)(nil)) }
