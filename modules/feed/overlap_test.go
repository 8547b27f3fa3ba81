package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

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
