package suggest_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/suggest"
)

func TestWhomAFolloweeFollowsIsReadOnceForAllWhoAsk(t *testing.T) {
	w := newWorld(t)
	w.follows(101, 2)
	w.follows(202, 2, 3)
	w.follows(2, 10)
	require.Equal(t, []core.ID{10}, users(w.suggest(101)))
	w.follows(2, 11)
	w.follows(3, 10) // beside 2, and so read with it
	require.Equal(t, []core.ID{10}, users(w.suggest(202)))
	w.clock.advance(2 * w.cfg.Fresh)
	answer := w.suggest(202)
	require.Equal(t, suggest.FromComputed, answer.ServedFrom)
	require.Equal(t, []core.ID{10, 11}, users(answer))
	require.ElementsMatch(t, []core.ID{2, 3}, answer.Items[0].Reason.Users)
}

func TestWhatAUserChangesCountsAlthoughTheirFolloweesAreRemembered(t *testing.T) {
	w := newWorld(t)
	w.follows(101, 2, 3)
	w.follows(202, 2, 3)
	w.follows(2, 10, 11, 12, 13)
	w.follows(3, 20)
	require.Len(t, w.suggest(101).Items, 5)
	w.edges(edge{from: 202, to: 10, kind: "block"}, edge{from: 202, to: 11, kind: "mute"},
		edge{from: 202, to: 12, kind: "blocked_by"}, edge{from: 202, to: 3, kind: "follow", gone: true})
	require.Equal(t, []core.ID{13}, users(w.suggest(202)), "20 was followed by 3 alone")

	// A followee who blocks the user is no friend any more; the app takes the follow back, or it does not.
	w.edges(edge{from: 202, to: 2, kind: "blocked_by"}, edge{from: 202, to: 2, kind: "follow", gone: true})
	w.clock.advance(w.cfg.Fresh / 2) // a short list is computed anew long before
	require.Empty(t, w.suggest(202).Items)
}

func TestANewCandidatesOwnActsAreNeverRemembered(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.suggest(1).Items)
	w.likes(1, 30, 2)
	w.clock.advance(w.cfg.Fresh / 5)
	require.Equal(t, []core.ID{30}, users(w.suggest(1)))
}

func TestWhatWasNotReadToItsEndIsNotRemembered(t *testing.T) {
	w := newWorld(t, func(c *suggest.Config) { c.MaxRows = 1000 })
	const into = "INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version) "
	w.write(into + "SELECT 2 + number % 2, 'follow', 1000 + number, 'a', now64(6), 1 FROM numbers(20000)")
	_, whole, err := w.source.Circles(context.Background(), []core.ID{2, 3}, false)
	require.NoError(t, err)
	require.False(t, whole)
	w.follows(1, 2, 3)
	w.suggest(1)
	require.InDelta(t, 0, w.metric(t, "feedrank_suggest_circle_bytes"), 0)
}

func TestADeletedUserIsNoticedWhileTheirFollowersAreRemembered(t *testing.T) {
	w := newWorld(t)
	w.follows(101, 2)
	w.follows(202, 2)
	w.follows(2, 10, 11)
	w.write("INSERT INTO users (id, created_at, version, is_deleted) VALUES (10, now64(6), 1, 0), (11, now64(6), 1, 0)")
	w.write("INSERT INTO users (id, version, is_deleted) VALUES (11, 2, 1)")
	require.Equal(t, []core.ID{10}, users(w.suggest(101)))
	w.write("INSERT INTO users (id, version, is_deleted) VALUES (10, 2, 1), (11, 3, 0)") // 11 has come back
	w.clock.advance(w.cfg.Fresh / 5)
	require.Equal(t, []core.ID{11}, users(w.suggest(202)))
}

// TestFewEdgesMeanWhatTheWholeQuestionSays asks for edges with several rows in the app, replaced and removed.
func TestFewEdgesMeanWhatTheWholeQuestionSays(t *testing.T) {
	w := newWorld(t)
	const into = "INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) "
	for seed := range 3 { // several parts
		w.write(into + `SELECT 1 + number % 5, ['follow', 'block', 'blocked_by', 'mute'][1 + cityHash64(number) % 4], 10 + cityHash64(number, 1) % 40,
			toString(cityHash64(number, 2) % 3), toDateTime64('2026-01-01 00:00:00', 6) + cityHash64(number, 3) % 100000, number, cityHash64(number, 4) % 3 = 0
			FROM numbers(` + map[int]string{0: "0, 400", 1: "400, 300", 2: "700, 300"}[seed] + `)`)
	}
	few := w.cfg
	few.MaxEdges = math.MaxInt32
	whole := w.cfg
	for viewer := core.ID(1); viewer <= 6; viewer++ {
		got, err := suggest.NewClickHouse(few, w.ClickHouse, core.CountedFromEvents()).Edges(t.Context(), viewer, nil)
		require.NoError(t, err)
		whole.MaxEdges = max(1, len(got)) // fewer than there are rows
		want, err := suggest.NewClickHouse(whole, w.ClickHouse, core.CountedFromEvents()).Edges(t.Context(), viewer,
			nil)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
		follows := func(edges []suggest.Edge) (ids []core.ID) {
			for _, e := range edges {
				if e.Follows {
					ids = append(ids, e.Other)
				}
			}
			return ids
		}
		require.Equal(t, follows(want), follows(got), "the newest first")
	}
}
