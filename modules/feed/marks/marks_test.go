package marks_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
)

func TestMarksAreCollectedByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		second := rapid.Int64Range(0, 100)
		since, until := second.Draw(t, "since"), second.Draw(t, "until")
		var b []byte
		want := map[core.ID]bool{}
		for range rapid.IntRange(0, 50).Draw(t, "n") {
			id, at := core.ID(rapid.Int64Range(1, 30).Draw(t, "id")), second.Draw(t, "at")
			b = marks.Append(b, id, time.Unix(at, 0))
			if at >= since && at < until {
				want[id] = true
			}
		}
		var set idset.Set
		marks.Collect(&set, b, time.Unix(since, 0), time.Unix(until, 0))
		require.Equal(t, len(want), set.Len())
		for id := range want {
			require.True(t, set.Has(id))
		}
	})
}

func FuzzCollect(f *testing.F) {
	f.Add(marks.Append(nil, 5, time.Unix(9, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var set idset.Set
		marks.Collect(&set, b, time.Unix(0, 0), time.Unix(1<<40, 0))
		require.LessOrEqual(t, set.Len(), len(b)/marks.Size)
	})
}

func TestAMarkThatWasToldTwiceIsOne(t *testing.T) {
	at := time.Now()
	var b []byte
	for range 2 {
		b = marks.Append(b, 7, at)
		b = marks.Append(b, 8, at.Add(time.Minute))
	}
	require.Equal(t, 2, marks.Standing(b, at))
	require.Equal(t, 1, marks.Standing(b, at.Add(time.Second)), "since then")
	require.Equal(t, 2, marks.Standing(append(marks.Append(b, 7, at.Add(time.Hour)), 1, 2, 3), at),
		"another time, and a torn one")
	back := marks.Append(b, 7, marks.Undo(at.Add(time.Hour)))
	require.Equal(t, 1, marks.Standing(back, at), "one that was taken back is none")
	require.Equal(t, 2, marks.Standing(marks.Append(back, 7, at.Add(2*time.Hour)), at), "until it is hidden anew")
	require.Zero(t, marks.Standing(nil, at))
}

func TestWhatIsSaidOfALookUpIsNoMark(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var b []byte
	b = marks.Append(b, marks.None, marks.Lack(9, noon.Add(-13*time.Hour)))
	require.Zero(t, marks.Lacking(b, noon), "of yesterday")
	b = marks.Append(b, marks.None, marks.Lack(5, noon))
	b = marks.Append(b, marks.None, marks.Lack(3, noon.Add(time.Second)))
	b = append(b, 1, 2, 3)
	require.Equal(t, 3, marks.Lacking(b, noon.Add(11*time.Hour)), "the last one holds")
	require.Zero(t, marks.Lacking(b, noon.Add(12*time.Hour)), "until midnight")
	require.Zero(t, marks.Standing(b, time.Time{}))
	require.False(t, marks.Any(b))
	require.True(t, marks.Any(marks.Append(b[:3*marks.Size], 7, noon)))
	var set idset.Set
	marks.Collect(&set, b, time.Time{}, noon.Add(time.Hour))
	require.Zero(t, set.Len())
	require.Zero(t, marks.Lacking(marks.Append(nil, 7, noon), noon), "a mark says nothing of the kind")
}

func TestWhatIsMissingIsWhatTheOthersDoNotHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(1, 12), 0, 20)
		own, theirs := list.Draw(t, "own"), list.Draw(t, "theirs")
		encode := func(ids []int64) (b []byte) {
			for _, id := range ids {
				b = marks.Append(b, core.ID(id%6+1), time.Unix(id, 0))
			}
			return b
		}
		var want []int64
		for _, id := range own {
			if !slices.Contains(theirs, id) {
				want = append(want, id)
			}
		}
		require.Equal(t, string(encode(want)), string(marks.Without(encode(own), encode(theirs))))
	})
}

func TestAHideThatWasTakenBackHoldsNoMoreUntilTheNextOne(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	log := func(all ...[2]int64) (b []byte) {
		for _, one := range all {
			if id, when := core.ID(one[0]), at(one[1]); id < 0 {
				b = marks.Append(b, -id, marks.Undo(when))
			} else {
				b = marks.Append(b, id, when)
			}
		}
		return b
	}
	hidden := func(logs ...[]byte) (posts []core.ID) {
		var undone marks.Undone
		for _, b := range logs {
			undone.Learn(b)
		}
		var set idset.Set
		for _, b := range logs {
			marks.CollectHidden(&set, b, at(0), at(1000), undone)
		}
		for id := core.ID(1); id < 10; id++ {
			if set.Has(id) {
				posts = append(posts, id)
			}
		}
		return posts
	}
	require.Equal(t, []core.ID{5}, hidden(log([2]int64{5, 10})))
	require.Empty(t, hidden(log([2]int64{5, 10}, [2]int64{-5, 11})))
	require.Empty(t, hidden(log([2]int64{5, 10}, [2]int64{-5, 10})), "within a second")
	require.Empty(t, hidden(log([2]int64{5, 10}, [2]int64{-5, 11}, [2]int64{5, 10})), "a hide that is told again later")
	require.Equal(t, []core.ID{5}, hidden(log([2]int64{5, 10}, [2]int64{-5, 11}, [2]int64{5, 12})), "hidden again")
	require.Equal(t, []core.ID{6}, hidden(log([2]int64{5, 10}, [2]int64{6, 10}, [2]int64{-5, 20})))
	require.Empty(t, hidden(log([2]int64{5, 10}), log([2]int64{-5, 11})), "one log knows, another does not")
	b := log([2]int64{5, 10}, [2]int64{-5, 11})
	require.Zero(t, marks.Standing(b, at(0)), "it is no hide, and what it takes back is none any more")
	require.Zero(t, marks.Lacking(b, at(11)), "nor a note of what is lacking")
	require.Equal(t, 7, marks.Lacking(marks.Append(b, marks.None, marks.Lack(7, at(12))), at(12)))
	require.False(t, marks.Any(log([2]int64{-5, 11})))
}

func TestMarksAreOfPostsOfEveryNumber(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, id := range []core.ID{1, -1, 1 << 62, math.MinInt64, math.MaxInt64} {
		b := marks.Append(nil, id, now)
		var set idset.Set
		marks.Collect(&set, b, now, now.Add(time.Hour))
		require.True(t, set.Has(id))
		require.True(t, marks.Any(b))
		require.Equal(t, 1, marks.Standing(b, now))
		require.Zero(t, marks.Lacking(b, now))
		b = marks.Append(b, id, marks.Undo(now.Add(time.Second)))
		require.Zero(t, marks.Standing(b, now))
		var back marks.Undone
		back.Learn(b)
		require.Len(t, back, 1)
		set = idset.Set{}
		marks.CollectHidden(&set, b, now, now.Add(time.Hour), back)
		require.Zero(t, set.Len())
	}
}

func TestTheLatestMarkOfAPost(t *testing.T) {
	b := marks.Append(nil, 7, time.Unix(100, 0))
	b = marks.Append(b, 8, time.Unix(300, 0))
	b = marks.Append(b, 7, time.Unix(200, 0))
	b = marks.Append(b, 7, marks.Undo(time.Unix(250, 0)))
	require.Equal(t, time.Unix(200, 0).UTC(), marks.Latest(b, 7))
	require.True(t, marks.Latest(b, 9).IsZero())
	require.True(t, marks.Latest(b[:5], 7).IsZero())
}
