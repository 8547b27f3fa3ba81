package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// ErrOpen is returned for a call that was not made because the breaker is open.
var ErrOpen = errors.New("breaker is open")

// ErrFull is returned for a call that was not made because too many are under way. The server is well:
// who passes it on to a client says so.
var ErrFull = &core.Error{
	Code: core.CodeOverloaded, Message: "too many calls at once; try again",
	RetryAfter: time.Second,
}

// Breaker guards one server. It is safe for concurrent use.
type Breaker struct {
	name    string
	policy  Policy
	broken  func(error) bool // tells a broken connection from a failed call
	circuit circuitbreaker.CircuitBreaker[any]
	limit   adaptivelimiter.AdaptiveLimiter[any]
	budget  *retryBudget
	mode    atomic.Pointer[Mode]
	life    atomic.Pointer[life]
	last    atomic.Pointer[string] // why a call failed last
	counted atomic.Int64           // when an outcome counted last, in nanoseconds since 1970
	clock   core.Clock
	metrics *metrics
	log     *zap.Logger
}

// life is the time between two changes of the state. A call that began in an earlier one says nothing
// of this one: it is no probe.
type life struct {
	since  time.Time
	reason string
}

func newBreaker(name string, policy Policy, broken func(error) bool, clock core.Clock, metrics *metrics,
	log *zap.Logger,
) *Breaker {
	b := &Breaker{
		name: name, policy: policy, broken: broken, clock: clock, metrics: metrics, log: log,
		budget: newRetryBudget(policy.RetryBudget),
		limit: adaptivelimiter.NewBuilder[any]().
			WithLimits(uint(policy.MinConcurrent), uint(policy.MaxConcurrent), uint(policy.MinConcurrent)).Build(),
	}
	auto := Auto
	b.mode.Store(&auto)
	b.life.Store(&life{since: clock.Now(), reason: "started"})
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(uint(max(1, policy.Calls*policy.FailureRate/100)), uint(policy.Calls)).
		WithDelay(policy.OpenFor).WithJitterFactor(0.1). // replicas do not probe in step
		WithSuccessThreshold(1).                         // half-open: a single probe decides
		OnStateChanged(b.changed).Build()
	metrics.observe(b)
	return b
}

// Do calls the server, if that is wise: within the deadline, in a place of its own, and again where
// the connection was broken. An error of call is passed on; ErrOpen and ErrFull say that it was not
// called. The order, from the outside in, is retries, breaker, limit, deadline.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	b.budget.earn()
	for attempt := 0; ; attempt++ {
		err := b.once(ctx, call)
		if err == nil || attempt >= b.policy.Retries || ctx.Err() != nil || !b.broken(err) {
			return err
		}
		if !b.budget.spend() {
			b.metrics.retries.WithLabelValues(b.name, "refused").Inc()
			return err
		}
		b.metrics.retries.WithLabelValues(b.name, "made").Inc()
	}
}

func (b *Breaker) once(ctx context.Context, call func(context.Context) error) (err error) {
	mode := *b.mode.Load()
	if b.Open() { // before it waits for a place
		return b.refused("refused", ErrOpen)
	}
	place, err := b.place(ctx)
	if err != nil {
		return b.refused("full", err)
	}
	if mode == Auto && !b.circuit.TryAcquirePermit() { // half-open, and somebody else is the probe
		place.Drop()
		return b.refused("refused", ErrOpen)
	}
	life, began, result := b.life.Load(), b.clock.Now(), outcomePanicked // unless the call returns
	bounded, cancel := context.WithTimeout(ctx, b.policy.Timeout)
	defer func() {
		cancel()
		b.leave(place, result)
		b.record(mode, life, result, err)
	}()
	bounded, span := tracing.Call(bounded, b.name, "call")
	err = call(bounded)
	span.End(err)
	result = b.judge(ctx, err, b.clock.Now().Sub(began))
	return err
}

// waitersPerPlace bounds how many calls wait for one that is under way.
const waitersPerPlace = 4

// place is one of the calls that may be under way at once.
func (b *Breaker) place(ctx context.Context) (adaptivelimiter.Permit, error) {
	if permit, ok := b.limit.TryAcquirePermit(); ok {
		return permit, nil
	}
	if b.policy.MaxWait == 0 || b.limit.Queued() >= waitersPerPlace*b.limit.Limit() {
		return nil, ErrFull
	}
	permit, err := b.limit.AcquirePermitWithMaxWait(ctx, b.policy.MaxWait)
	if err != nil {
		return nil, ErrFull
	}
	return permit, nil
}

// leave gives a place back. The limit follows the time of calls that were answered.
func (b *Breaker) leave(place adaptivelimiter.Permit, result outcome) {
	if result == outcomeOK || result == outcomeSlow {
		place.Record()
	} else {
		place.Drop()
	}
}

func (b *Breaker) refused(outcome string, why error) error {
	b.metrics.calls.WithLabelValues(b.name, outcome).Inc()
	return fmt.Errorf("%s: %w", b.name, why)
}

type outcome string

const (
	outcomeOK     outcome = "ok"
	outcomeFailed outcome = "failed"
	outcomeSlow   outcome = "slow"
	// the caller went away, or had hardly any time left: says nothing of the server
	outcomeAbandoned outcome = "abandoned"
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

// counts tells whether the next outcome counts: as many as the window has, evenly spread over its time.
func (b *Breaker) counts() bool {
	now, last := b.clock.Now().UnixNano(), b.counted.Load()
	apart := b.policy.CountFor.Nanoseconds() / int64(b.policy.Calls)
	return (now < last || now-last >= apart) && b.counted.CompareAndSwap(last, now)
}

func (b *Breaker) record(mode Mode, began *life, result outcome, err error) {
	b.metrics.calls.WithLabelValues(b.name, string(result)).Inc()
	failed := result == outcomeFailed || result == outcomeSlow || result == outcomePanicked
	if failed {
		why := string(result)
		if err != nil {
			why = err.Error()
		}
		b.last.Store(&why)
	}
	if mode != Auto || b.life.Load() != began {
		return
	}
	switch {
	case b.circuit.IsClosed() && (!failed && result != outcomeOK || !b.counts()):
	case result == outcomeOK:
		b.circuit.RecordSuccess()
	case failed, b.circuit.IsHalfOpen(): // a probe that was abandoned proved nothing: it stays open
		b.circuit.RecordFailure()
	}
}
