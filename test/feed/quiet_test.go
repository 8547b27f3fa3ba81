package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// TestQuietPeopleHaveKeptPlaces has user 1 follow twelve who write all day and one who wrote once, days ago, and whom
// the score puts last.
func TestQuietPeopleHaveKeptPlaces(t *testing.T) {
	w := newWorld(t, 20)
	const quiet = core.ID(999)
	for author := 2; author <= 13; author++ {
		w.follow(1, author)
		for n := range 8 {
			w.post(100*author+n, author, time.Duration(n*60+author)*time.Minute)
		}
	}
	w.follow(1, 14)
	w.post(int(quiet), 14, 70*time.Hour)
	w.load()
	first := w.get(1, "limit=20&explain=true")
	require.NotContains(t, first.posts(), quiet, "no place is kept")

	ranking := rank.DefaultConfig()
	ranking.Diversity.QuietShare, ranking.Diversity.QuietPosts = 0.1, 2
	w.ranking.Set(rank.Versioned{Version: 77, Config: ranking})
	check := func(p page) {
		t.Helper()
		require.Equal(t, quiet, p.Items[9].Post)
		require.Contains(t, p.Items[9].Explain.Adjustments, "the place is kept for people who post seldom")
	}
	check(w.get(1, "limit=20&explain=true"))
	check(w.cached(1, "limit=20&explain=true"))
	shown, pages := w.walk(1, w.get(1, "limit=4"), "limit=4", func(int) {})
	require.Greater(t, pages, 3)
	require.Equal(t, quiet, shown[9], "and in a session of short pages")
}
