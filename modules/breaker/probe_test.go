package breaker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/test/wait"
)

// probing is a breaker that lets a probe through soon after it opened.
func probing(t *testing.T) *breaker.Breaker {
	t.Helper()
	set, _ := newSet(t, func(p *breaker.Policy) { p.OpenFor, p.Timeout = time.Millisecond, time.Minute })
	return set.ClickHouse
}

func TestAProbeWhoseCallerWentAwayProvesNothingAndAnotherFollows(t *testing.T) {
	b := probing(t)
	trip(t, b)
	wait.Until(t, func() bool { return !b.Open() })
	caller, leave := context.WithCancel(context.Background())
	require.ErrorIs(t, b.Do(caller, func(ctx context.Context) error { leave(); return ctx.Err() }), context.Canceled)
	require.Equal(t, "open", b.Status().State)
	wait.Until(t, func() bool { return b.Do(context.Background(), succeed) == nil })
	require.Equal(t, "closed", b.Status().State)
}

func TestACallThatBeganBeforeItOpenedIsNoProbe(t *testing.T) {
	b := probing(t)
	begun, answer := make(chan struct{}), make(chan struct{})
	var late sync.WaitGroup
	late.Go(func() {
		_ = b.Do(context.Background(), func(context.Context) error {
			close(begun)
			<-answer
			return nil
		})
	})
	<-begun
	trip(t, b)
	wait.Until(t, func() bool { return !b.Open() })
	require.NoError(t, b.Do(context.Background(), func(context.Context) error { // the probe
		close(answer)
		late.Wait()
		require.Equal(t, "half-open", b.Status().State)
		return nil
	}))
	require.Equal(t, "closed", b.Status().State)
}
