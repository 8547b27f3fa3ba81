package tracing

import "go.uber.org/fx"

// Module provides the tracer. It stops after all that it traces.
func Module() fx.Option {
	return fx.Module("tracing", fx.Provide(New), fx.Invoke(func(lc fx.Lifecycle, t *Tracer) {
		lc.Append(fx.StartStopHook(t.Start, t.Stop))
	}))
}
