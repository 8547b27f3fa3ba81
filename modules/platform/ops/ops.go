// Package ops is how the program is operated: health, readiness, metrics and the log.
package ops

import (
	"context"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Check asks one dependency or component how it is.
type Check struct {
	Name     string
	Critical bool // without it the replica is not ready; otherwise it is degraded and goes on
	Probe    func(context.Context) error
}

// Health answers /healthz, /readyz and /metrics, and gives profiles.
type Health struct {
	checks   []Check
	registry *prometheus.Registry
	draining atomic.Bool
}

// NewRegistry is a registry with the process's own metrics.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// NewHealth makes the answers from the checks of every module.
func NewHealth(checks []Check, registry *prometheus.Registry) *Health {
	return &Health{checks: checks, registry: registry}
}

// Drain turns readiness off for good: the replica is about to stop.
func (h *Health) Drain() { h.draining.Store(true) }

// Routes are the calls of operation.
func (h *Health) Routes() []httpserver.Route {
	metrics := promhttp.HandlerFor(h.registry, promhttp.HandlerOpts{Registry: h.registry})
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/healthz", Handler: func(c echo.Context) error {
			return c.JSON(http.StatusOK, map[string]string{"status": "alive"})
		}},
		{Method: http.MethodGet, Path: "/readyz", Handler: h.ready},
		{Method: http.MethodGet, Path: "/metrics", Access: httpserver.Ops, Handler: echo.WrapHandler(metrics)},
		profile("/debug/pprof/*", pprof.Index), // of memory, goroutines and locks, by their names; not the command line, which may hold secrets
		profile("/debug/pprof/profile", pprof.Profile),
		profile("/debug/pprof/symbol", pprof.Symbol),
		profile("/debug/pprof/trace", pprof.Trace),
	}
}

// profile is a call of net/http/pprof, which takes the time that it is asked to take.
func profile(path string, handler http.HandlerFunc) httpserver.Route {
	return httpserver.Route{Method: http.MethodGet, Path: path, Access: httpserver.Debug, Handler: echo.WrapHandler(handler), NoLimit: true}
}

// Readiness is the body of /readyz.
type Readiness struct {
	Status string            `json:"status"` // ready, degraded, not_ready or draining
	Checks map[string]string `json:"checks"` // "ok" or what is wrong, by dependency
}

// probeTimeout bounds one check, so that a hanging server does not hang /readyz.
const probeTimeout = time.Second

func (h *Health) ready(c echo.Context) error {
	readiness := h.Readiness(c.Request().Context())
	status := http.StatusOK
	if readiness.Status == "not_ready" || readiness.Status == "draining" {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, readiness)
}

// Readiness asks every dependency at once.
func (h *Health) Readiness(ctx context.Context) Readiness {
	results := make([]error, len(h.checks))
	var probes errgroup.Group
	for i, check := range h.checks {
		probes.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			results[i] = probe(ctx, check)
			return nil
		})
	}
	_ = probes.Wait() // the probes' results are in results
	out := Readiness{Status: "ready", Checks: make(map[string]string, len(h.checks))}
	for i, check := range h.checks {
		out.Checks[check.Name] = "ok"
		if results[i] == nil {
			continue
		}
		out.Checks[check.Name] = results[i].Error()
		if check.Critical {
			out.Status = "not_ready"
		} else if out.Status == "ready" {
			out.Status = "degraded"
		}
	}
	if h.draining.Load() {
		out.Status = "draining"
	}
	return out
}

// probe gives up on a check that ignores its context.
func probe(ctx context.Context, check Check) error {
	done := make(chan error, 1)
	go func() { done <- check.Probe(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
