package httpserver

import "go.uber.org/fx"

// Module provides the server. It is started last and stopped first: see app.
func Module() fx.Option {
	return fx.Module("http", fx.Provide(
		fx.Annotate(New, fx.ParamTags(``, `group:"routes"`)),
	), fx.Invoke(func(lc fx.Lifecycle, s *Server) {
		lc.Append(fx.StartStopHook(s.Start, s.Stop))
	}))
}
