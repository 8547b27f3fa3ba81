package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// TestAPostComesAtTheTimeThatItIsDated makes a reserve while a post is dated ahead. No change says that its time has
// come, and no computation looks for it.
func TestAPostComesAtTheTimeThatItIsDated(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.load()
	w.post(103, 3, -3*time.Minute)
	w.post(104, 3, -2*time.Second) // the app's clock is ahead
	require.Equal(t, []core.ID{104, 102}, w.cached(1, "").posts())
	require.Equal(t, "dated_ahead", w.whyNot(1, 103).Rule)

	w.clock.advance(2 * time.Minute)
	require.Equal(t, []core.ID{104, 102}, w.cached(1, "").posts())
	w.clock.advance(time.Minute)
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{103, 102, 104}, p.posts(), "two of one author do not stand together")
	require.Equal(t, []core.ID{103, 104, 102}, w.get(1, "algo=timeline").posts())
}

// TestAnImportKeepsItsDates brings in posts of last year and of yesterday beside one of now: they are ranked by when
// they were made, not by when they came.
func TestAnImportKeepsItsDates(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	w.post(102, 2, time.Hour)
	w.load()
	w.cached(1, "")
	w.post(103, 3, 24*time.Hour)
	w.post(104, 4, 365*24*time.Hour)
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{102, 103, 104}, p.posts())
	require.Equal(t, []core.ID{102, 103, 104}, w.get(1, "algo=timeline").posts())
}
