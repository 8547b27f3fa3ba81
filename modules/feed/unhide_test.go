package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAHideThatWasTakenBackStaysTakenBack(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3, 4)
	for author := 2; author <= 4; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	all, rest := []core.ID{102, 103, 104}, []core.ID{104}
	shows := func(want []core.ID, why string) {
		t.Helper()
		require.ElementsMatch(t, want, w.get(1, "").posts(), why)
		require.ElementsMatch(t, want, w.get(1, "algo=timeline").posts(), why)
	}
	ctx, began := context.Background(), w.clock.Now()
	w.feed.Hide(ctx, 1, []core.ID{102, 103}, began)
	shows(rest, "the API says so at once")
	w.clock.advance(2 * time.Second)
	w.feed.Unhide(ctx, 1, []core.ID{102, 103}, w.clock.Now())
	undone := w.clock.Now()
	shows(all, "and that it was taken back")

	// The consumer is late: what it tells is as old as it was when it happened.
	w.apply(1, core.ActionHide, 2, began, 102)
	w.apply(1, core.ActionNotInterested, 3, began, 103)
	shows(all, "though the hide is told again")
	w.apply(1, core.ActionUnhide, 2, undone, 102)
	w.apply(1, core.ActionUnhide, 3, undone, 103)
	shows(all, "and that it was taken back, too")

	w.loseEverything()
	shows(all, "of the raw events")
	w.clock.advance(5 * time.Second)
	w.record(1, core.ActionHide, 2, 102)
	shows([]core.ID{103, 104}, "hidden anew")
	w.loseEverything()
	shows([]core.ID{103, 104}, "hidden anew, of the raw events")
	w.clock.advance(5 * time.Second)
	w.record(1, core.ActionUnhide, 2, 102)
	shows(all, "")
}

func TestAnUndoTakesBackWhatAHideDidToTheAuthor(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Minute)
	w.post(103, 3, 2*time.Minute)
	w.post(112, 2, 3*time.Hour)
	w.load()
	w.cached(1, "")
	w.away.clickhouse.closed.Store(true) // nothing is computed anew: the entry is told
	w.observe(1, core.ActionHide, 2, w.clock.Now(), 112)
	require.Equal(t, []core.ID{103, 102}, w.get(1, "").posts())
	w.clock.advance(2 * time.Second)
	w.observe(1, core.ActionUnhide, 2, w.clock.Now(), 112)
	require.Equal(t, core.ID(102), w.get(1, "").posts()[0])
	require.Contains(t, w.get(1, "").posts(), core.ID(112))
}
