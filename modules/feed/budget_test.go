package feed_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestTheBudgetOfARequestBoundsAllThatItAsks(t *testing.T) {
	w := newWorld(t, 20)
	w.post(102, 2, time.Hour)
	w.load()
	w.cfg.Budget, w.cfg.ComputeWait = time.Second, 10*time.Millisecond
	var mu sync.Mutex
	left := map[string]time.Duration{} // at the first call
	noted := func(ctx context.Context, server string) {
		mu.Lock()
		defer mu.Unlock()
		_, again := left[server]
		// what nobody waits for has the guard's deadline alone
		if deadline, bounded := ctx.Deadline(); bounded && !again {
			left[server] = time.Until(deadline)
		}
	}
	w.guards.Redis = guard(func(ctx context.Context, call func(context.Context) error) error {
		noted(ctx, "redis")
		return w.away.redis.Do(ctx, call)
	})
	w.guards.Postgres = guard(func(ctx context.Context, _ func(context.Context) error) error {
		noted(ctx, "postgres")
		<-ctx.Done() // it accepts, and says nothing
		return ctx.Err()
	})
	w.start()
	w.load()
	silent := make(chan struct{})
	defer close(silent)
	w.away.clickhouse.hold.Store(&silent)

	p := w.get(1, "")
	require.Equal(t, "trending", p.ServedFrom)
	require.Equal(t, []core.ID{102}, p.posts())
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, left, 2)
	for server, within := range left {
		require.LessOrEqual(t, within, w.cfg.Budget, server)
	}
}
