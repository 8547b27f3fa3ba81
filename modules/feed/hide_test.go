package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestWhatWasHiddenHereIsNotShownHereThoughRedisTookNothing(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.load()
	w.cached(1, "")
	w.away.redis.closed.Store(true)
	w.feed.Hide(context.Background(), 1, []core.HiddenPost{{Post: 102, At: w.clock.Now()}})
	w.feed.HideHere(1, []core.HiddenPost{{Post: 102, At: w.clock.Now()}}) // told again by the log
	w.away.redis.closed.Store(false)
	for _, query := range []string{"", "algo=timeline"} {
		require.Equal(t, []core.ID{103}, w.get(1, query).posts(), "from the entry that Redis still has")
	}
	require.ElementsMatch(t, []core.ID{102, 103}, w.get(4, "").posts(), "it was hidden by one viewer alone")
}
