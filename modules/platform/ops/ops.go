// Package ops is how the program is operated: health, readiness, metrics and the log.
package ops

import (
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Health answers /healthz, /readyz and /metrics, and gives profiles.
type Health struct {
	readiness readiness
	registry  *prometheus.Registry
	draining  atomic.Bool
}

// NewRegistry is a registry with the process's own metrics.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// NewHealth makes the answers from the checks of every module.
func NewHealth(checks []Check, registry *prometheus.Registry, clock core.Clock, log *zap.Logger) *Health {
	return &Health{readiness: readiness{checks: checks, clock: clock, log: log}, registry: registry}
}

// Drain turns readiness off for good: the replica is about to stop.
func (h *Health) Drain() { h.draining.Store(true) }

// Routes are the calls of operation.
func (h *Health) Routes() []httpserver.Route {
	metrics := promhttp.InstrumentMetricHandler(h.registry,
		promhttp.HandlerFor(h.registry, promhttp.HandlerOpts{
			Registry: h.registry, EnableOpenMetrics: true, // which has exemplars
		}))
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/healthz", Handler: func(c echo.Context) error {
			return c.JSON(http.StatusOK, map[string]string{"status": "alive"})
		}},
		{Method: http.MethodGet, Path: "/readyz", Handler: h.ready},
		{Method: http.MethodGet, Path: "/metrics", Access: httpserver.Ops, Handler: echo.WrapHandler(metrics)},
		// of memory, goroutines and locks, by their names; not the command line, which may hold secrets
		profile("/debug/pprof/*", pprof.Index),
		profile("/debug/pprof/profile", pprof.Profile),
		profile("/debug/pprof/symbol", pprof.Symbol),
		profile("/debug/pprof/trace", pprof.Trace),
	}
}

// profile is a call of net/http/pprof, which takes the time that it is asked to take.
func profile(path string, handler http.HandlerFunc) httpserver.Route {
	return httpserver.Route{
		Method: http.MethodGet, Path: path, Access: httpserver.Debug,
		Handler: echo.WrapHandler(handler), NoLimit: true,
	}
}
