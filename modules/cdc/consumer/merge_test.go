package consumer

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/core"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestReplayingAnyPartOfTheLogChangesNothing(t *testing.T) {
	follows := mapping.Source{Kind: mapping.Follow}
	rapid.Check(t, func(t *rapid.T) {
		var log []entry
		for i := range rapid.IntRange(1, 30).Draw(t, "records") {
			version, err := replica.VersionOf(1, int64(i))
			require.NoError(t, err)
			e := entry{
				source: &follows, version: version,
				row: mapping.Row{Key: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "key")},
			}
			if e.delete = rapid.Bool().Draw(t, "delete"); e.delete {
				e.row.Gone = true
			} else {
				e.row.First, e.row.Other = rapid.Int64Range(1, 3).Draw(t, "from"), rapid.Int64Range(1, 3).Draw(t, "to")
			}
			log = append(log, e)
		}
		rows, edges := map[string]replica.Row{}, map[mapping.Edge]replica.Edge{}
		for committed := 0; committed < len(log); {
			start := rapid.IntRange(0, committed).Draw(t, "start") // at the committed offset or before it
			end := rapid.IntRange(start+1, len(log)).Draw(t, "end")
			m := newMerge(&follows, maps.Clone(rows))
			for _, e := range log[start:end] {
				m.apply(e)
			}
			for _, e := range m.writtenEdges() {
				if old, ok := edges[e.Edge]; !ok || old.Version <= e.Version {
					edges[e.Edge] = e
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "dies before the rows are written") == 2 {
				continue
			}
			for _, r := range m.written() {
				if old, ok := rows[r.Key]; !ok || old.Version <= r.Version {
					rows[r.Key] = r
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "dies before the commit") < 2 {
				committed = max(committed, end)
			}
		}
		alive := map[mapping.Edge]bool{}
		for e, state := range edges {
			if !state.Gone {
				alive[e] = true
			}
		}
		want := map[mapping.Edge]bool{}
		state := map[string]mapping.Row{}
		for _, e := range log {
			state[e.row.Key] = e.row
		}
		for _, r := range state {
			for _, e := range mapping.Follow.Edges(r) {
				want[e] = true
			}
		}
		for key, r := range rows {
			require.Equal(t, state[key].Gone, r.Gone)
		}
		require.Equal(t, want, alive)
	})
}

// TestReplayingAnyPartOfTheLogLeavesNoReactionBehind has ClickHouse end between a copy and a view of it, too.
func TestReplayingAnyPartOfTheLogLeavesNoReactionBehind(t *testing.T) {
	type place struct {
		user, hour int64
		key        string
	}
	at := func(r replica.Row) place { return place{r.First, r.CreatedAt.Unix(), r.Key} }
	comments := mapping.Source{Kind: mapping.Comment}
	rapid.Check(t, func(t *rapid.T) {
		log := commentLog(t, &comments)
		rows, reactions := map[string]replica.Row{}, map[place]replica.Row{}
		insert := func(written []replica.Row) (whole bool) {
			views := rapid.IntRange(0, 4).Draw(t, "dies before the view is written") > 0
			for _, r := range written {
				if rows[r.Key].Version <= r.Version {
					rows[r.Key] = r
				}
				if views && reactions[at(r)].Version <= r.Version {
					reactions[at(r)] = r
				}
			}
			return views
		}
		for committed := 0; committed < len(log); {
			start := rapid.IntRange(0, committed).Draw(t, "start") // at the committed offset or before it
			end := rapid.IntRange(start+1, len(log)).Draw(t, "end")
			m := newMerge(&comments, maps.Clone(rows))
			for _, e := range log[start:end] {
				m.apply(e)
			}
			if slices.ContainsFunc(append(m.vacated, m.written()),
				func(each []replica.Row) bool { return !insert(each) }) {
				continue
			}
			if rapid.Bool().Draw(t, "commits") {
				committed = max(committed, end)
			}
		}
		want, alive := map[place]bool{}, map[place]bool{}
		for _, r := range rows {
			if !r.Gone {
				want[at(r)] = true
			}
		}
		for p, r := range reactions {
			if !r.Gone {
				alive[p] = true
			}
		}
		require.Equal(t, want, alive)
	})
}

// commentLog is of two comments that come, go, and move between people and hours.
func commentLog(t *rapid.T, s *mapping.Source) (log []entry) {
	for i := range rapid.IntRange(1, 20).Draw(t, "records") {
		version, err := replica.VersionOf(1, int64(i))
		require.NoError(t, err)
		e := entry{
			source: s, version: version,
			row: mapping.Row{Key: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "key")},
		}
		if e.delete = rapid.IntRange(0, 3).Draw(t, "delete") == 3; e.delete {
			e.row.Gone = true
		} else {
			e.row.First = rapid.Int64Range(1, 3).Draw(t, "author")
			e.row.CreatedAt = noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "hour")) * time.Hour)
		}
		log = append(log, e)
	}
	return log
}

func TestARepairOutranksTheVersionThatItNamesWhereverItStands(t *testing.T) {
	follows := mapping.Source{Kind: mapping.Follow}
	at := func(epoch uint16, offset int64) replica.Version {
		v, err := replica.VersionOf(epoch, offset)
		require.NoError(t, err)
		return v
	}
	row := func(other int64) mapping.Row { return mapping.Row{Key: "1", First: 1, Other: other} }
	// written by a producer that did not know that the topic grew
	have := replica.Row{Row: row(2), Version: at(2, 1000)}
	apply := func(have replica.Row, e entry) (replica.Row, *merge) {
		e.source = &follows
		m := newMerge(&follows, map[string]replica.Row{"1": have})
		m.apply(e)
		return m.rows["1"], m
	}
	repaired, m := apply(have, entry{version: at(2, 4), repair: true, repairs: have.Version, row: row(3)})
	require.EqualValues(t, 3, repaired.Other)
	require.Greater(t, repaired.Version, have.Version)
	require.Equal(t, 1, m.raised)
	same, m := apply(repaired, entry{version: at(2, 4), repair: true, repairs: have.Version, row: row(3)})
	require.Equal(t, repaired, same, "read again")
	require.Equal(t, 1, m.replays+m.stale)

	next, _ := apply(repaired, entry{version: at(2, 5), raise: true, row: row(4)})
	require.EqualValues(t, 4, next.Other, "the row's own partition goes on from there")
	require.Greater(t, next.Version, repaired.Version)
	older, _ := apply(next, entry{version: at(1, 99999), row: row(5)})
	require.Equal(t, next, older, "what is from before the growth is older")
	older, _ = apply(next, entry{version: at(1, 99999), raise: true, row: row(5)})
	require.Equal(t, next, older)
	replay, m := apply(repaired, entry{version: at(2, 5), row: row(4)})
	require.Equal(t, repaired, replay, "in a topic that never grew a lower place was applied before")
	require.Equal(t, 1, m.replays)
}

func TestAUserWhoIsShownAgainIsToldOf(t *testing.T) {
	c := mapping.Default()
	c.User.HiddenWhen = []mapping.Condition{{Column: "suspended_at", Is: "set"}}
	mapped, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	users := mapped.Of(mapping.User)
	change := entry{source: users, row: mapping.Row{Key: "7", ID: 7}, version: 512, streamed: true}
	require.True(t, change.needsStored(), "else nobody knows that they were hidden")
	hidden := replica.Row{Row: mapping.Row{Key: "7", ID: 7, Hidden: true}, Version: 256}
	m := newMerge(users, map[string]replica.Row{"7": hidden})
	m.apply(change)
	require.Equal(t, []core.Change{{Kind: core.UserBack, Viewer: 7}}, m.changes)
	change.row.Hidden, change.version = true, 768
	m.apply(change)
	require.Equal(t, core.UserGone, m.changes[1].Kind)
	require.True(t, m.written()[0].Hidden)
}

// TestAnEdgeKeepsItsEndWhenItsRowIsAppliedOnceMore reads a row from the copy, which does not have the end.
func TestAnEdgeKeepsItsEndWhenItsRowIsAppliedOnceMore(t *testing.T) {
	mutes := mapping.Source{Kind: mapping.Mute}
	version, err := replica.VersionOf(1, 7)
	require.NoError(t, err)
	e := entry{source: &mutes, version: version, row: mapping.Row{Key: "1", First: 1, Other: 2, Until: noon}}
	first := newMerge(&mutes, nil)
	first.apply(e)
	edges := first.writtenEdges()
	require.Len(t, edges, 1)
	require.Equal(t, noon, edges[0].Until)
	require.Equal(t, noon, first.changes[0].Until)

	copied := first.written()[0]
	copied.Until = time.Time{}
	again := newMerge(&mutes, map[string]replica.Row{"1": copied})
	again.apply(e)
	require.Equal(t, edges, again.writtenEdges())
	require.Equal(t, noon, again.changes[0].Until)
}
