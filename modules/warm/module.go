package warm

import (
	"go.uber.org/fx"
)

// ListModule provides the job that lists who is to be warmed; the program puts it in its schedule.
func ListModule() fx.Option { return fx.Module("warm list", fx.Provide(NewList)) }

// WorkerModule warms the listed users. It needs a Warmer and a Load from the program.
func WorkerModule() fx.Option {
	return fx.Module("warm", fx.Provide(NewWorker), fx.Invoke(func(lc fx.Lifecycle, w *Worker) {
		lc.Append(fx.Hook{OnStart: w.Start, OnStop: w.Stop})
	}))
}
