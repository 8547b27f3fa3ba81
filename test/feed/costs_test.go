package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

// TestAPageAsksTheServersSoOften holds what a page costs the servers. Each question more is to be
// meant: whoever adds one changes this test, and says in README.md what it buys.
func TestAPageAsksTheServersSoOften(t *testing.T) {
	w := newWorld(t, 20, func(c *feed.Config) { c.SampleOverlap = 0 }) // a sample is no page's cost
	for i := range 12 {
		w.post(100+i, 2+i%4, time.Duration(i)*time.Minute)
	}
	w.follow(1, 2, 3, 4, 5)
	w.load()
	asked := func(what func()) (clickhouse, postgres, redis int64) {
		a := &w.away
		clickhouse, postgres, redis = w.questions.Load(), a.postgres.calls.Load(), a.redis.calls.Load()
		what()
		return w.questions.Load() - clickhouse, a.postgres.calls.Load() - postgres, a.redis.calls.Load() - redis
	}

	clickhouse, postgres, redis := asked(func() {
		require.Equal(t, "clickhouse", w.get(1, "limit=20").ServedFrom)
	})
	require.EqualValues(t, 2, clickhouse, "a computed page: the graph and the affinity")
	require.Zero(t, postgres)
	require.Positive(t, redis)

	w.cached(1, "limit=20") // the entry is written after the answer
	clickhouse, postgres, redis = asked(func() {
		for range 10 {
			require.Equal(t, "cache", w.get(1, "limit=20").ServedFrom)
		}
	})
	require.Zero(t, clickhouse, "a cached page")
	require.Zero(t, postgres)
	require.EqualValues(t, 10, redis, "a cached page: one round trip, for all that is kept of the viewer")

	// A page that can be continued has its order written, after the answer.
	first := w.cached(1, "limit=5")
	require.NotEmpty(t, first.next())
	clickhouse, postgres, redis = asked(func() { require.Len(t, w.get(1, "limit=5&"+first.next()).Items, 5) })
	require.Zero(t, clickhouse+postgres, "a later page")
	require.LessOrEqual(t, redis, int64(2),
		"a later page: one, and the order of the page before if it was still to be written")
	require.Equal(t, []core.ID{}, overlap(first.posts(), w.get(1, "limit=5&"+first.next()).posts()))
}

func overlap(a, b []core.ID) []core.ID {
	both := []core.ID{}
	for _, x := range a {
		for _, y := range b {
			if x == y {
				both = append(both, x)
			}
		}
	}
	return both
}

func TestHowMuchOfARankedPageTheFallbackHasIsSampledWhileAllIsWell(t *testing.T) {
	w := newWorld(t, 60, func(c *feed.Config) { c.SampleOverlap = time.Millisecond })
	w.follow(1, 2, 3, 4, 5, 6)
	for author := 2; author <= 60; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	for author := 40; author <= 44; author++ {
		w.interact(1, author, 50) // known to ClickHouse alone
	}
	w.load()
	page := w.get(1, "limit=10")
	require.Equal(t, "clickhouse", page.ServedFrom)
	samples := func() (n uint64, mean float64) {
		families, err := w.registry.Gather()
		require.NoError(t, err)
		for _, family := range families {
			if family.GetName() == "feedrank_feed_fallback_overlap" {
				h := family.GetMetric()[0].GetHistogram()
				return h.GetSampleCount(), h.GetSampleSum() / float64(max(1, h.GetSampleCount()))
			}
		}
		return 0, 0
	}
	wait.Until(t, func() bool { n, _ := samples(); return n >= 1 })
	_, sampled := samples()

	w.away.clickhouse.closed.Store(true)
	w.flush()
	w.start() // and nobody remembers
	w.load()
	fallback := w.get(1, "limit=10")
	require.Equal(t, "postgres", fallback.ServedFrom)
	both := 0
	for _, post := range fallback.posts() {
		for _, ranked := range page.posts() {
			if post == ranked {
				both++
			}
		}
	}
	require.Less(t, both, 10, "the two differ")
	require.InDelta(t, float64(both)/10, sampled, 1e-9, "the sample is what a viewer would have got")
	n, _ := samples()
	require.Zero(t, n, "and nothing is sampled while ClickHouse is away")
}
