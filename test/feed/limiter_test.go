package feed_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/test/wait"
)

func TestWithoutRoomToComputeWhatIsCachedIsAnsweredAndTheRestToldToComeBack(t *testing.T) {
	w := newWorld(t, 20)
	cfg := admission.DefaultConfig()
	cfg.MaxConcurrent, cfg.MinConcurrent = 4, 4
	gate := admission.New(cfg, core.SystemClock{}, prometheus.NewRegistry())
	w.guards.Limiter = gate
	w.start()
	w.follow(1, 2, 3)
	w.follow(5, 2, 3)
	for author := 2; author <= 8; author++ {
		w.post(100+author, author, time.Minute)
	}
	w.load()
	w.cached(1, "")
	for range 2 { // half of the places
		require.NoError(t, gate.Compute())
	}
	require.Equal(t, "cache", w.get(1, "").ServedFrom)
	for _, path := range []string{
		"/api/v1/feed", "/api/v1/feed?algo=timeline", "/api/v1/feed/trending",
		"/api/v1/feed?since=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
	} {
		status, problem := w.refused(5, path)
		require.Equal(t, http.StatusServiceUnavailable, status, path)
		require.Equal(t, string(core.CodeOverloaded), problem.Code, path)
	}
	w.clock.advance(50 * time.Minute)
	p := w.get(1, "")
	require.Equal(t, "stale", p.ServedFrom, "an old entry is better than none")
	require.True(t, p.Degraded)

	gate.Computed()
	gate.Computed()
	require.Equal(t, "clickhouse", w.get(5, "").ServedFrom)
}

func TestWhereRedisWasEmptiedNothingIsCachedThatMayShowWhatWasHidden(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Minute)
	w.post(103, 3, time.Minute)
	w.load()
	w.record(1, core.ActionHide, 2, 102)
	w.flush()
	w.start() // a replica that remembers nobody
	w.load()
	w.ch("RENAME TABLE user_author_90d TO away")
	require.True(t, w.get(1, "").Degraded, "nobody can tell what was hidden")
	w.ch("RENAME TABLE away TO user_author_90d")
	var p page // one that joins what was begun before says that it is degraded, too
	wait.Until(t, func() bool { p = w.get(1, ""); return !p.Degraded })
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.Equal(t, []core.ID{103}, p.posts())
	require.Equal(t, []core.ID{103}, w.cached(1, "").posts())
}

func TestAfterAnOutageExpiredEntriesAreRefreshedAFewAtATime(t *testing.T) {
	const viewers = 40
	w := newWorld(t, viewers)
	for author := 2; author <= 8; author++ {
		w.post(1000+author, author, time.Minute)
	}
	w.load()
	for viewer := 1; viewer <= viewers; viewer++ {
		w.cached(viewer, "")
	}
	w.clock.advance(35 * time.Minute) // nothing could be refreshed for so long
	w.load()
	answers := make(chan struct{})
	w.away.clickhouse.hold.Store(&answers)
	before := w.away.clickhouse.calls.Load()
	for viewer := 1; viewer <= viewers; viewer++ {
		require.Equal(t, "stale", w.get(viewer, "").ServedFrom)
	}
	calls := func() int64 { return w.away.clickhouse.calls.Load() - before }
	wait.Until(t, func() bool { return calls() >= 1 })
	require.LessOrEqual(t, calls(), int64(w.cfg.Cache.MaxRefresh))
	w.away.clickhouse.hold.Store(nil)
	close(answers)
	for viewer := 1; viewer <= viewers; viewer++ {
		wait.Until(t, func() bool { return w.get(viewer, "").ServedFrom == "cache" })
	}
}

// overloaded is a replica that has enough to do while it is true.
type overloaded struct {
	guards.Unguarded
	atomic.Bool
}

func (p *overloaded) Overloaded() bool { return p.Load() }

func TestWhatNobodyWaitsForIsNotComputedWhileThereIsEnoughToDo(t *testing.T) {
	w := newWorld(t, 20)
	limiter := &overloaded{}
	w.guards.Limiter = limiter
	w.start()
	w.expired()
	limiter.Store(true)
	for range 2 {
		require.Equal(t, "stale", w.get(1, "").ServedFrom)
	}
	require.InDelta(t, 2, w.counter("feedrank_feed_refreshes_skipped_total", ""), 0)
	limiter.Store(false)
	w.cached(1, "")
}

// counter is what a counter or a gauge has counted, by its one label, or of one that has none.
func (w *world) counter(name, label string) (n float64) {
	w.t.Helper()
	families, err := w.registry.Gather()
	require.NoError(w.t, err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, series := range family.GetMetric() {
			if len(series.GetLabel()) == 0 || series.GetLabel()[0].GetValue() == label {
				n = series.GetCounter().GetValue() + series.GetGauge().GetValue()
			}
		}
	}
	return n
}

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
