package breaker

import (
	"fmt"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.uber.org/zap"
)

// Mode is what an operator has said.
type Mode string

// A breaker follows what it sees, or what an operator forces it to.
const (
	Auto        Mode = "auto"
	ForceOpen   Mode = "open"
	ForceClosed Mode = "closed"
)

// changed keeps, counts and logs a change of the state with its reason.
func (b *Breaker) changed(event circuitbreaker.StateChangedEvent) {
	kind, reason := b.reasonOf(event)
	b.life.Store(&life{since: b.clock.Now(), reason: reason})
	b.metrics.transitions.WithLabelValues(b.name, event.NewState.String(), kind).Inc()
	b.log.Warn("breaker changed", zap.String("dependency", b.name),
		zap.Stringer("from", event.OldState), zap.Stringer("to", event.NewState), zap.String("reason", reason))
}

func (b *Breaker) reasonOf(event circuitbreaker.StateChangedEvent) (kind, reason string) {
	seen := event.Metrics()
	switch {
	case *b.mode.Load() == resetting:
		return "operator", "an operator reset it"
	case event.NewState == circuitbreaker.HalfOpenState:
		return "delay", "it was open for long enough: one call is let through"
	case event.NewState == circuitbreaker.ClosedState:
		return "probe", "the probe succeeded"
	case event.OldState == circuitbreaker.HalfOpenState:
		return "probe", "the probe failed: " + b.lastFailure()
	default:
		return "failures", fmt.Sprintf("%d of the last %d calls failed or were slow, the last: %s", seen.Failures(),
			seen.Executions(), b.lastFailure())
	}
}

func (b *Breaker) lastFailure() string {
	if last := b.last.Load(); last != nil {
		return *last
	}
	return "unknown"
}

// resetting is the mode for as long as a reset takes.
const resetting Mode = "resetting"

// Force overrides what the breaker sees, until Auto.
func (b *Breaker) Force(mode Mode) { b.mode.Store(&mode) }

// Reset closes the breaker and forgets what it has seen.
func (b *Breaker) Reset() {
	b.Force(resetting)
	b.circuit.Open() // to close an open breaker and to empty a closed one's window alike
	b.circuit.Close()
	b.limit.Reset()
	b.Force(Auto)
}

// Open tells whether a call would be refused now.
func (b *Breaker) Open() bool {
	switch *b.mode.Load() {
	case ForceOpen:
		return true
	case ForceClosed:
		return false
	default:
		return b.circuit.IsOpen() && b.circuit.RemainingDelay() > 0
	}
}

// Status is a breaker as an operator sees it.
type Status struct {
	Dependency string    `json:"dependency"`
	State      string    `json:"state"` // closed, half-open or open
	Mode       Mode      `json:"mode"`  // auto, or what it is forced to
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"`   // of the last change of the state
	Calls      uint      `json:"calls"`    // in the window
	Failures   uint      `json:"failures"` // of them failed or slow
	RetryInMS  int64     `json:"retry_in_ms"`
	Limit      int       `json:"limit"` // calls at once
	InFlight   int       `json:"in_flight"`
	Waiting    int       `json:"waiting"`
}

// Status is the breaker's state now.
func (b *Breaker) Status() Status {
	seen, life := b.circuit.Metrics(), b.life.Load()
	return Status{
		Dependency: b.name, State: b.circuit.State().String(), Mode: *b.mode.Load(), Since: life.since.UTC(),
		Reason: life.reason,
		Calls:  seen.Executions(), Failures: seen.Failures(), RetryInMS: b.circuit.RemainingDelay().Milliseconds(),
		Limit: b.limit.Limit(), InFlight: b.limit.Inflight(), Waiting: b.limit.Queued(),
	}
}

func stateValue(s circuitbreaker.State) float64 {
	switch s {
	case circuitbreaker.ClosedState:
		return 0
	case circuitbreaker.HalfOpenState:
		return 1
	case circuitbreaker.OpenState:
		return 2
	}
	return 2
}

func modeValue(m Mode) float64 {
	switch m {
	case ForceClosed:
		return 1
	case ForceOpen:
		return 2
	case Auto, resetting:
	}
	return 0
}
