package suggest

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestACircleIsWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.Custom(func(rt *rapid.T) core.ID { return core.ID(rapid.Int64Min(1).Draw(rt, "id")) })
		follows := rapid.SliceOfDistinct(id, func(id core.ID) core.ID { return id }).Draw(rt, "follows")
		acts := rapid.SliceOfDistinct(rapid.Custom(func(rt *rapid.T) Act {
			return Act{Author: id.Draw(rt, "author"), Weight: rapid.Int64Min(1).Draw(rt, "weight")}
		}), func(a Act) core.ID { return a.Author }).Draw(rt, "acts")
		var gotFollows []core.ID
		var gotActs []Act
		Pack(slices.Clone(follows), slices.Clone(acts)).Each(
			func(id core.ID) { gotFollows = append(gotFollows, id) }, func(a Act) { gotActs = append(gotActs, a) })
		require.ElementsMatch(rt, follows, gotFollows)
		require.ElementsMatch(rt, acts, gotActs)
	})
}

// stoppedClock stands until it is moved.
type stoppedClock struct{ now time.Time }

func (c *stoppedClock) Now() time.Time { return c.now }

func TestCirclesAreKeptForAsLongAsTheyMayBeAndInAsManyBytes(t *testing.T) {
	cfg, clock := DefaultConfig(), &stoppedClock{time.Unix(1_800_000_000, 0)}
	cfg.CircleBytes = 64 << 10
	kept, err := newCircles(&cfg, clock, newMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	missing := func(ids ...core.ID) []core.ID { return kept.of(map[core.ID]Circle{}, ids, cfg.Fresh) }
	circle := func(n core.ID) Circle {
		ids := make([]core.ID, 100)
		for i := range ids {
			ids[i] = n + 1000*core.ID(i)
		}
		return Pack(ids, nil)
	}

	require.Equal(t, []core.ID{1, 2}, missing(1, 2))
	kept.add(map[core.ID]Circle{1: circle(1), 9: circle(9)}, []core.ID{1, 2})
	require.Empty(t, missing(1, 2, 9), "that there is nothing is known, too")
	found := map[core.ID]Circle{}
	kept.of(found, []core.ID{1, 2}, cfg.Fresh)
	require.Equal(t, map[core.ID]Circle{1: circle(1), 2: ""}, found)
	require.Equal(t, []core.ID{1}, kept.of(map[core.ID]Circle{}, []core.ID{1}, 0), "nothing is young enough")

	clock.now = clock.now.Add(cfg.Fresh)
	require.Equal(t, []core.ID{1, 2}, missing(1, 2))
	for range 3 { // the same again takes no more
		kept.add(map[core.ID]Circle{1: circle(1)}, []core.ID{2})
	}
	require.Equal(t, circle(1).bytes()+Circle("").bytes()+circle(9).bytes(), kept.bytes)

	require.True(t, kept.room())
	for id := core.ID(100); id < 1000; id++ {
		kept.add(map[core.ID]Circle{id: circle(id)}, nil)
		require.LessOrEqual(t, kept.bytes, cfg.CircleBytes)
		require.Empty(t, missing(1, id), "who is asked for again stays")
	}
	require.False(t, kept.room())
	require.Equal(t, []core.ID{100}, missing(100))
}
