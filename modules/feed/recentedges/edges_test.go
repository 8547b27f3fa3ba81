package recentedges

import (
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

func blocked(row string, by, whom core.ID) core.Change {
	return core.Change{Kind: core.Blocked, Viewer: by, Other: whom, Row: row}
}

func TestABlockIsHeardOfByBothSidesUntilItsRowIsGone(t *testing.T) {
	e := New(core.SystemClock{}, prometheus.NewRegistry())
	began := time.Now().Add(-time.Second)
	e.Apply([]core.Change{
		blocked("block 1", 7, 9),
		{Kind: core.Followed, Viewer: 7, Other: 8, Row: "follow 1"},
		{Kind: core.Muted, Viewer: 7, Other: 6, Row: "mute 1"},
		{Kind: core.JoinedGroup, Viewer: 4, Other: 6, Row: "member 1"},
	})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchJoined, Other: 6}}, e.Since(4, began, time.Now(), nil))
	require.Empty(t, e.Since(6, began, time.Now(), nil), "a group is nobody")
	e.Apply([]core.Change{{Kind: core.LeftGroup, Viewer: 4, Other: 6, Row: "member 1"}})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchLeft, Other: 6}}, e.Since(4, began, time.Now(), nil))
	require.Equal(t, []reserve.Patch{
		{Kind: reserve.PatchBlock, Other: 9},
		{Kind: reserve.PatchFollow, Other: 8},
		{Kind: reserve.PatchMute, Other: 6},
	}, e.Since(7, began, time.Now(), nil))
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchBlockedBy, Other: 7}}, e.Since(9, began, time.Now(), nil))
	require.Empty(t, e.Since(7, time.Now().Add(time.Minute), time.Now(), nil), "the entry is younger")

	e.Apply([]core.Change{
		blocked("block 2", 7, 9),
		{Kind: core.Unblocked, Row: "block 1"},
		{Kind: core.Unfollowed, Row: "follow 1"},
		{Kind: core.Unmuted, Row: "never heard of"},
	})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchMute, Other: 6}, {Kind: reserve.PatchBlock, Other: 9}},
		e.Since(7, began, time.Now(), nil), "another row says so, too")
	e.Apply([]core.Change{{Kind: core.Unmuted, Viewer: 7, Other: 6, Row: "mute 1"}})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchBlock, Other: 9}, {Kind: reserve.PatchUnmute, Other: 6}},
		e.Since(7, began, time.Now(), nil), "the key says between whom")
	e.Apply([]core.Change{blocked("block 2", 7, 5)}) // the row says something else now
	require.Empty(t, e.Since(9, began, time.Now(), nil))
	require.Len(t, e.Since(5, began, time.Now(), nil), 1)
	e.Apply([]core.Change{{Kind: core.TableCleared}})
	require.Empty(t, e.Since(7, began, time.Now(), nil))
	require.Empty(t, e.rows)
}

func TestAFollowIsHeardOfByBothSidesWherePostsMayBeForMutuals(t *testing.T) {
	e := New(core.SystemClock{}, prometheus.NewRegistry())
	follow := core.Change{Kind: core.Followed, Viewer: 7, Other: 9, Row: "follow 7/9"}
	e.Apply([]core.Change{follow})
	require.Empty(t, e.Since(9, time.Time{}, time.Now(), nil), "it means nothing to them")
	e.WithMutuals(true).Apply([]core.Change{follow})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchFollow, Other: 9}}, e.Since(7, time.Time{}, time.Now(), nil))
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchFollowedBack, Other: 7}},
		e.Since(9, time.Time{}, time.Now(), nil))
	e.Apply([]core.Change{{Kind: core.Unfollowed, Viewer: 7, Other: 9, Row: "follow 7/9"}})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchUnfollowedBack, Other: 7}},
		e.Since(9, time.Time{}, time.Now(), nil))
	e.Apply([]core.Change{{Kind: core.Unfollowed, Row: "follow 7/9"}})
	require.Empty(t, e.Since(9, time.Time{}, time.Now(), nil), "whose it was is not told")
}

func TestWhatIsHeardIsBoundedAndTheOldestIsForgotten(t *testing.T) {
	e := New(core.SystemClock{}, prometheus.NewRegistry())
	e.most = 100
	for i := range 10_000 {
		e.Apply([]core.Change{blocked("again", 1, 2), blocked(strconv.Itoa(i), core.ID(i+10), core.ID(i+20_000))})
	}
	require.LessOrEqual(t, len(e.rows), 100)
	require.LessOrEqual(t, len(e.queue), 200)
	require.LessOrEqual(t, len(e.byViewer), 200)
	require.Len(t, e.Since(1, time.Time{}, time.Now(), nil), 1)
	require.Len(t, e.Since(10_009, time.Time{}, time.Now(), nil), 1)
	require.Empty(t, e.Since(10, time.Time{}, time.Now(), nil))
}

func TestWhatHasEndedIsToldAsEnded(t *testing.T) {
	began := time.Now()
	e := New(core.SystemClock{}, prometheus.NewRegistry())
	e.Apply([]core.Change{
		{Kind: core.Muted, Viewer: 7, Other: 8, Row: "mute 7/8", Until: began.Add(time.Hour)},
		{Kind: core.Blocked, Viewer: 7, Other: 9, Row: "block 7/9", Until: began.Add(2 * time.Hour)},
	})
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchMute, Other: 8}, {Kind: reserve.PatchBlock, Other: 9}},
		e.Since(7, began, began.Add(time.Hour-1), nil))
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchUnmute, Other: 8}, {Kind: reserve.PatchBlock, Other: 9}},
		e.Since(7, began, began.Add(time.Hour), nil))
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchUnblockedBy, Other: 7}},
		e.Since(9, began, began.Add(2*time.Hour), nil))
}
