package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/test/stack"
)

func TestSinceWhenSomebodyIsBlocked(t *testing.T) {
	s := stack.New(t)
	write(t, s, `INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, committed_at, version, is_deleted) VALUES
		(1, 'block', 2, 'a', '2026-01-05 00:00:00', '2026-02-01 00:00:00', 1, 0),
		(1, 'block', 2, 'b', '2026-01-03 00:00:00', '2026-02-01 00:00:00', 2, 0),
		(1, 'block', 2, 'c', '2026-01-01 00:00:00', '2026-02-01 00:00:00', 3, 0),
		(1, 'block', 2, 'c', '2026-01-01 00:00:00', '2026-02-01 00:00:00', 4, 1),
		(1, 'mute', 2, 'd', '1970-01-01 00:00:00', '2026-02-02 00:00:00', 5, 0),
		(1, 'blocked_by', 3, 'e', '2026-01-07 00:00:00', '2026-02-02 00:00:00', 6, 0),
		(1, 'follow', 4, 'f', '2026-01-08 00:00:00', '2026-02-02 00:00:00', 7, 0)`)
	g := graph.NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, 100, 100)
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		relation reserve.Relation
		other    core.ID
		since    time.Time
	}{
		{reserve.Blocks, 2, day(1, 3)},    // the oldest of the rows that stand
		{reserve.Mutes, 2, day(2, 2)},     // the app keeps no time: that of the commit
		{reserve.BlockedBy, 3, day(1, 7)}, // from the other side
		{reserve.Blocks, 3, time.Time{}}, {reserve.Follows, 4, time.Time{}},
	} {
		since, err := g.Since(t.Context(), 1, c.relation, c.other)
		require.NoError(t, err)
		require.Equal(t, c.since, since)
	}
}
