package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.uber.org/zap"
)

// ErrOpen is returned for a call that was not made because the breaker is open.
var ErrOpen = errors.New("breaker is open")

// ErrFull is returned for a call that was not made because too many are under way.
var ErrFull = errors.New("too many calls at once")

// Mode is what an operator has said.
type Mode string

// A breaker follows what it sees, or what an operator forces it to.
const (
	Auto        Mode = "auto"
	ForceOpen   Mode = "open"
	ForceClosed Mode = "closed"
)

// Breaker guards one dependency. It is safe for concurrent use.
type Breaker struct {
	name    string
	policy  Policy
	circuit circuitbreaker.CircuitBreaker[any]
	limit   bulkhead.Bulkhead[any]
	mode    atomic.Pointer[Mode]
	since   atomic.Int64 // when the state changed last, nanoseconds since 1970
	metrics *metrics
}

func newBreaker(name string, policy Policy, metrics *metrics, log *zap.Logger) *Breaker {
	b := &Breaker{name: name, policy: policy, metrics: metrics, limit: bulkhead.New[any](uint(policy.MaxConcurrent))}
	auto := Auto
	b.mode.Store(&auto)
	b.since.Store(time.Now().UnixNano())
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(float64(policy.FailureRate)/100, uint(policy.MinCalls), policy.Window).
		WithDelay(policy.OpenFor).WithJitterFactor(0.1).
		WithSuccessThreshold(1). // half-open: a single probe decides
		OnStateChanged(func(event circuitbreaker.StateChangedEvent) {
			b.since.Store(time.Now().UnixNano())
			metrics.state.WithLabelValues(name).Set(stateValue(event.NewState))
			metrics.transitions.WithLabelValues(name, event.NewState.String()).Inc()
			log.Warn("breaker changed", zap.String("dependency", name), zap.Stringer("from", event.OldState), zap.Stringer("to", event.NewState))
		}).Build()
	metrics.state.WithLabelValues(name).Set(stateValue(circuitbreaker.ClosedState))
	return b
}

// Do calls the dependency, if that is wise, with the policy's deadline. An error of call is passed
// on; ErrOpen and ErrFull say that it was not called.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	mode := *b.mode.Load()
	if mode == ForceOpen || (mode == Auto && !b.circuit.TryAcquirePermit()) {
		b.metrics.calls.WithLabelValues(b.name, "refused").Inc()
		return fmt.Errorf("%s: %w", b.name, ErrOpen)
	}
	if !b.limit.TryAcquirePermit() {
		b.record(mode, outcomeFull)
		return fmt.Errorf("%s: %w", b.name, ErrFull)
	}
	defer b.limit.ReleasePermit()

	bounded, cancel := context.WithTimeout(ctx, b.policy.Timeout)
	defer cancel()
	start := time.Now()
	result := outcomePanicked // unless the call returns
	defer func() { b.record(mode, result) }()
	err := call(bounded)
	result = b.judge(ctx, err, time.Since(start))
	return err
}

type outcome string

const (
	outcomeOK        outcome = "ok"
	outcomeFailed    outcome = "failed"
	outcomeSlow      outcome = "slow"
	outcomeAbandoned outcome = "abandoned" // the caller went away: says nothing of the dependency
	outcomeFull      outcome = "full"
	outcomePanicked  outcome = "panicked"
)

func (b *Breaker) judge(caller context.Context, err error, took time.Duration) outcome {
	switch {
	case took >= b.policy.SlowAfter:
		return outcomeSlow
	case err == nil:
		return outcomeOK
	case caller.Err() != nil:
		return outcomeAbandoned
	default:
		return outcomeFailed
	}
}

func (b *Breaker) record(mode Mode, result outcome) {
	b.metrics.calls.WithLabelValues(b.name, string(result)).Inc()
	if mode != Auto {
		return
	}
	switch result {
	case outcomeOK:
		b.circuit.RecordSuccess()
	case outcomeFailed, outcomeSlow, outcomePanicked:
		b.circuit.RecordFailure()
	case outcomeAbandoned, outcomeFull:
		// A probe must give its permit back: it proved nothing, so the breaker stays open.
		if b.circuit.IsHalfOpen() {
			b.circuit.RecordFailure()
		}
	}
}

// Force overrides what the breaker sees, until Auto.
func (b *Breaker) Force(mode Mode) { b.mode.Store(&mode) }

// Reset closes the breaker and forgets what it has seen.
func (b *Breaker) Reset() {
	b.Force(Auto)
	b.circuit.Open() // to close an open breaker and to empty a closed one's window alike
	b.circuit.Close()
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
	Calls      uint      `json:"calls"`    // in the window
	Failures   uint      `json:"failures"` // of them failed or slow
	RetryInMS  int64     `json:"retry_in_ms"`
}

// Status is the breaker's state now.
func (b *Breaker) Status() Status {
	seen := b.circuit.Metrics()
	return Status{
		Dependency: b.name, State: b.circuit.State().String(), Mode: *b.mode.Load(), Since: time.Unix(0, b.since.Load()).UTC(),
		Calls: seen.Executions(), Failures: seen.Failures(), RetryInMS: b.circuit.RemainingDelay().Milliseconds(),
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
