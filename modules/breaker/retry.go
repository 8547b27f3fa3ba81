package breaker

import "sync/atomic"

// retryBudget keeps retries to a share of the calls, so that a server in trouble is not asked twice by
// everybody: each call earns a part of a retry, and a few are kept for when there is little traffic.
type retryBudget struct {
	percent int64
	balance atomic.Int64 // hundredths of a retry
}

const (
	oneRetry   = 100
	maxBalance = 10 * oneRetry
)

func newRetryBudget(percent int) *retryBudget {
	b := &retryBudget{percent: int64(percent)}
	if percent > 0 {
		b.balance.Store(maxBalance)
	}
	return b
}

func (b *retryBudget) earn() {
	if b.balance.Load() < maxBalance {
		b.balance.Add(b.percent)
	}
}

func (b *retryBudget) spend() bool {
	if b.balance.Add(-oneRetry) >= 0 {
		return true
	}
	b.balance.Add(oneRetry)
	return false
}
