package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

// twoReplicas are two feeds over the same servers.
func twoReplicas(t *testing.T, wait time.Duration) (one, two *world) {
	t.Helper()
	w := newWorld(t, 20, func(c *feed.Config) { c.Cache.LeaseWait = wait })
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	other := &world{Stack: w.Stack, t: t, clock: w.clock, cfg: w.cfg, redis: w.redis}
	other.start()
	other.load()
	return w, other
}

func TestAMissIsComputedByOneReplicaAndSharedWithTheOthers(t *testing.T) {
	one, two := twoReplicas(t, 5*time.Second)
	hold := make(chan struct{})
	one.away.clickhouse.hold.Store(&hold)
	pages := make(chan page, 2)
	go func() { pages <- one.get(1, "") }()
	wait.Until(t, func() bool { return one.away.clickhouse.calls.Load() == 1 })
	before := two.away.redis.calls.Load()
	go func() { pages <- two.get(1, "") }()
	wait.Until(t, func() bool { return two.away.redis.calls.Load() >= before+4 }, "it looks again and again")
	close(hold)
	served := []string{}
	for range 2 {
		p := <-pages
		require.Equal(t, []core.ID{102}, p.posts())
		served = append(served, p.ServedFrom)
	}
	require.ElementsMatch(t, []string{"clickhouse", "cache"}, served)
	require.Zero(t, two.away.clickhouse.calls.Load())
}

func TestAReplicaThatWaitsTooLongComputesAnyway(t *testing.T) {
	one, two := twoReplicas(t, 30*time.Millisecond)
	hold := make(chan struct{})
	one.away.clickhouse.hold.Store(&hold)
	answered := make(chan page, 1)
	go func() { answered <- one.get(1, "") }()
	wait.Until(t, func() bool { return one.away.clickhouse.calls.Load() == 1 })
	p := two.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.False(t, p.Degraded)
	require.Equal(t, []core.ID{102}, p.posts())
	close(hold)
	require.Equal(t, []core.ID{102}, (<-answered).posts())
}
