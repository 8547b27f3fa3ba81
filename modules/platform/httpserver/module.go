package httpserver

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

type params struct {
	fx.In
	Config     Config
	Routes     []Route `group:"routes"`
	Auth       Authenticator
	Limits     Limits
	Gate       *admission.Gate
	Recorder   Recorder
	Clock      core.Clock
	Drainer    Drainer
	Tracer     *tracing.Tracer
	Failure    worker.Failure
	Registerer prometheus.Registerer
	Log        *zap.Logger
}

// Module provides the server. It is started last and stopped first: see app.
func Module() fx.Option {
	return fx.Module("http", fx.Provide(func(p params) *Server {
		return New(p.Config, p.Routes, p.Auth, p.Drainer, p.Failure, p.Registerer, p.Log, WithLimits(p.Limits),
			WithGate(p.Gate), WithRecorder(p.Recorder, p.Clock), WithTracer(p.Tracer))
	}), fx.Invoke(func(lc fx.Lifecycle, s *Server) {
		lc.Append(fx.StartStopHook(s.Start, s.Stop))
	}))
}
