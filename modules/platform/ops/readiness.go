package ops

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Check asks one dependency or component how it is.
type Check struct {
	Name     string
	Critical bool // without it the replica is not ready; otherwise it is degraded and goes on
	Probe    func(context.Context) error
}

// Readiness is the body of /readyz.
type Readiness struct {
	Status string            `json:"status"` // ready, degraded, not_ready or draining
	Checks map[string]string `json:"checks"` // "ok" or what is wrong, by dependency; to strangers, only "failing"
}

const (
	probeTimeout = time.Second // bounds one check, so that a hanging server does not hang /readyz
	probeEvery   = time.Second // whoever asks: the servers are asked no oftener
)

// failing is all that a stranger is told of what is wrong: an error names hosts, ports and users.
const failing = "failing"

// readiness shares one round of probes among all who ask within a second.
type readiness struct {
	checks []Check
	clock  core.Clock
	log    *zap.Logger

	mu    sync.Mutex
	round *round
}

// round is one time that every dependency was asked.
type round struct {
	before *round // until it is done
	begun  time.Time
	done   chan struct{}
	answer Readiness // once done
}

func (h *Health) ready(c echo.Context) error {
	readiness, err := h.Readiness(c.Request().Context())
	if err != nil {
		return err // the client is gone
	}
	if !httpserver.AtOperators(c) {
		readiness = readiness.forStrangers()
	}
	status := http.StatusOK
	if readiness.Status == "not_ready" || readiness.Status == "draining" {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, readiness)
}

// Readiness is how every dependency is, as of the last second, in full.
func (h *Health) Readiness(ctx context.Context) (Readiness, error) {
	r, first := h.readiness.current()
	if first {
		h.readiness.run(r)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return Readiness{}, ctx.Err()
	}
	out := r.answer
	if h.draining.Load() {
		out.Status = "draining"
	}
	return out, nil
}

func (r Readiness) forStrangers() Readiness {
	words := make(map[string]string, len(r.Checks))
	for name, found := range r.Checks {
		if words[name] = found; found != "ok" {
			words[name] = failing
		}
	}
	return Readiness{Status: r.Status, Checks: words}
}

// current is the round of this second; the first who asks has to run it.
func (r *readiness) current() (now *round, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.clock.Now(); r.round == nil || !core.Within(probeEvery, r.round.begun, at) {
		r.round, first = &round{before: r.round, begun: at, done: make(chan struct{})}, true
	}
	return r.round, first
}

// run asks for all who wait, whether or not the first of them is still there.
func (r *readiness) run(now *round) {
	defer close(now.done)
	now.answer = r.ask()
	before := Readiness{}
	if now.before != nil {
		<-now.before.done
		before, now.before = now.before.answer, nil
	}
	r.tell(before, now.answer)
}

// ask asks every dependency at once.
func (r *readiness) ask() Readiness {
	results := make([]error, len(r.checks))
	var probes errgroup.Group
	for i, check := range r.checks {
		probes.Go(func() error {
			ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
			defer cancel()
			results[i] = probe(ctx, check)
			return nil
		})
	}
	_ = probes.Wait() // the probes' results are in results
	out := Readiness{Status: "ready", Checks: make(map[string]string, len(r.checks))}
	for i, check := range r.checks {
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
	return out
}

// tell logs in full what strangers are told one word of, when it changes.
func (r *readiness) tell(before, now Readiness) {
	for name, found := range now.Checks {
		was := before.Checks[name]
		switch {
		case found == "ok" && was != "" && was != "ok":
			r.log.Info("a dependency is well again", zap.String("check", name))
		case found != "ok" && (was == "" || was == "ok"):
			r.log.Warn("a dependency is not well", zap.String("check", name), zap.String("reason", found),
				zap.String("now", now.Status))
		}
	}
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
