package cdc

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestVersionsFollowTheOrderOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e1, e2 := rapid.Uint16().Draw(t, "e1"), rapid.Uint16().Draw(t, "e2")
		o1, o2 := rapid.Int64Range(0, maxOffset).Draw(t, "o1"), rapid.Int64Range(0, maxOffset).Draw(t, "o2")
		v1, err := versionOf(e1, o1)
		require.NoError(t, err)
		v2, err := versionOf(e2, o2)
		require.NoError(t, err)
		require.Equal(t, e1 < e2 || (e1 == e2 && o1 < o2), v1 < v2)
		d := v1
		for range rapid.IntRange(0, 300).Draw(t, "derivations") {
			d = derived(d)
		}
		require.Equal(t, v1, recordOf(d))
		if v1 < v2 {
			require.Less(t, d, v2, "what is derived never beats the next record")
		}
	})
	_, err := versionOf(0, maxOffset+1)
	require.Error(t, err)
}

func TestATruncateTakesWhatWasWrittenBeforeIt(t *testing.T) {
	truncate := origin{LSN: 500, CommittedAt: noon}
	known := origin{LSN: 500, System: 7, CommittedAt: noon}
	for name, c := range map[string]struct {
		truncate, row origin
		dies          bool
	}{
		"before":                              {truncate, origin{LSN: 499, CommittedAt: noon}, true},
		"after":                               {truncate, origin{LSN: 501, CommittedAt: noon}, false},
		"before, the clock stepped back":      {truncate, origin{LSN: 499, CommittedAt: noon.Add(time.Second)}, true},
		"of a rebuilt cluster":                {truncate, origin{LSN: 3, CommittedAt: noon.Add(time.Hour)}, false},
		"left from the cluster before":        {origin{LSN: 3, CommittedAt: noon}, origin{LSN: 900, CommittedAt: noon.Add(-time.Hour)}, true},
		"same known cluster, odd clock":       {known, origin{LSN: 3, System: 7, CommittedAt: noon.Add(time.Hour)}, true},
		"same known cluster, after":           {known, origin{LSN: 501, System: 7, CommittedAt: noon.Add(-time.Hour)}, false},
		"another known cluster, written then": {known, origin{LSN: 900, System: 8, CommittedAt: noon.Add(-time.Second)}, true},
		"another known cluster, since":        {known, origin{LSN: 3, System: 8, CommittedAt: noon.Add(time.Second)}, false},
	} {
		require.Equal(t, c.dies, c.truncate.kills(c.row), name)
	}
}

func TestTheLastTruncateOfAClusterIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []origin
		var kept truncates
		lsn := uint64(0)
		at := noon
		for range rapid.IntRange(1, 8).Draw(t, "truncates") {
			lsn += rapid.Uint64Range(1, 50).Draw(t, "lsn")
			at = at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "later"))
			next := origin{LSN: lsn, CommittedAt: at, System: 7}
			all = append(all, next)
			kept = kept.add(next)
		}
		require.Len(t, kept, 1)
		row := origin{LSN: rapid.Uint64Range(0, 400).Draw(t, "row"), System: 7, CommittedAt: noon}
		dies := false
		for _, each := range all {
			dies = dies || each.kills(row)
		}
		require.Equal(t, dies, kept.kill(row))
	})
}

func streamed(last, lsn uint64, at time.Time) envelope.Source {
	return envelope.Source{LSN: lsn, CommittedAt: at, Position: envelope.Position{Known: last != 0, LastCommit: last, LSN: lsn}}
}

func TestARepeatIsRecognisedOnlyWhenItIsCertain(t *testing.T) {
	var r repeats
	key := []byte(`{"id":1}`)
	first := streamed(100, 110, noon)
	require.False(t, r.has(key, first), "nothing was seen yet")
	r.add(key, first)
	r.add(key, streamed(200, 150, noon.Add(time.Second))) // written before 200 committed, committed after
	require.True(t, r.has(key, first))
	require.False(t, r.has([]byte(`{"id":2}`), first), "of another key nothing is known: its change may have been given up when the later one was not")
	require.False(t, r.has(key, streamed(200, 150, noon.Add(time.Second))), "rows written together share a position, and so do the two records of a changed key")
	require.False(t, r.has(key, streamed(200, 160, noon.Add(time.Second))))
	require.False(t, r.has(key, streamed(300, 120, noon.Add(time.Second))), "later in the stream, though written earlier")
	require.False(t, r.has(key, streamed(0, 110, noon)), "no position: in doubt it is applied")
	require.False(t, r.has(key, streamed(5, 6, noon.Add(time.Hour))), "a rebuilt cluster starts low, but later")
	old := first
	old.Snapshot = envelope.Initial
	require.False(t, r.has(key, old))
	r.add(key, streamed(0, 170, noon.Add(time.Second)))
	require.False(t, r.has(key, first), "a change of an unknown place came after it")
	r.add(key, streamed(200, 150, noon.Add(time.Second)))
	r.add(key, old)
	require.False(t, r.has(key, first), "after a snapshot nothing is known of the stream")
}

func TestOnlyTheLatestKeysAreRemembered(t *testing.T) {
	var r repeats
	key := func(i int) []byte { return []byte(strconv.Itoa(i)) }
	for i := range 3 * remembered {
		r.add(key(i), streamed(200, 210, noon))
	}
	require.Len(t, r.last, remembered)
	require.Len(t, r.keys, remembered)
	for i := range 3 * remembered {
		require.Equal(t, i >= 2*remembered, r.has(key(i), streamed(100, 110, noon)), i)
	}
}

func TestWhatAReplacedLeaderWritesIsLeftOut(t *testing.T) {
	of := func(system, number uint64) envelope.Source { return envelope.Source{System: system, Lead: number} }
	var l lead
	require.False(t, l.late(of(7, 3)), "the first one leads")
	l.advance(of(7, 3))
	require.False(t, l.late(of(7, 3)))
	require.False(t, l.late(of(7, 4)))
	l.advance(of(7, 4))
	require.True(t, l.late(of(7, 3)), "it was replaced")
	require.False(t, l.late(of(8, 1)), "another cluster counts anew")
	require.False(t, l.late(of(0, 0)), "a repair, or Debezium")
	l.advance(of(0, 0))
	require.True(t, l.late(of(7, 3)), "a repair says nothing of leads")
	for _, m := range []mark{{topicID: "ab", lead: l}, {topicID: "ab"}, {lead: l}, {}} {
		require.Equal(t, m, parseMark(m.String()), "as it is committed with an offset")
	}
	require.Equal(t, mark{topicID: "ab"}, parseMark("ab not numbers"))
}

func TestATopicThatGrewOrWasMadeAnewBeginsAnEpoch(t *testing.T) {
	state := topicState{id: "a", ends: []int64{10, 20}}
	require.True(t, state.succeeds(epochStart{}))
	first, err := state.next(epochStart{})
	require.NoError(t, err)
	require.Equal(t, epochStart{epoch: 1, topicID: "a", starts: []int64{0, 0}}, first)
	require.False(t, state.succeeds(first))

	grown := topicState{id: "a", ends: []int64{15, 25, 3}}
	require.True(t, grown.succeeds(first))
	second, err := grown.next(first)
	require.NoError(t, err)
	require.Equal(t, epochStart{epoch: 2, topicID: "a", starts: []int64{15, 25, 0}}, second)
	lives := epochs{first, second}
	require.EqualValues(t, 1, lives.of(0, 14))
	require.EqualValues(t, 2, lives.of(0, 15))
	require.EqualValues(t, 2, lives.of(2, 0))

	anew := topicState{id: "b", ends: []int64{1, 1}}
	third, err := anew.next(second)
	require.NoError(t, err)
	require.Equal(t, epochStart{epoch: 3, topicID: "b", starts: []int64{0, 0}}, third)
}

func TestReplayingAnyPartOfTheLogChangesNothing(t *testing.T) {
	follows := mapping.Source{Kind: mapping.Follow}
	rapid.Check(t, func(t *rapid.T) {
		var log []entry
		for i := range rapid.IntRange(1, 30).Draw(t, "records") {
			version, err := versionOf(1, int64(i))
			require.NoError(t, err)
			e := entry{source: &follows, version: version, row: mapping.Row{Key: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "key")}}
			if e.delete = rapid.Bool().Draw(t, "delete"); e.delete {
				e.row.Gone = true
			} else {
				e.row.First, e.row.Other = rapid.Int64Range(1, 3).Draw(t, "from"), rapid.Int64Range(1, 3).Draw(t, "to")
			}
			log = append(log, e)
		}
		rows, edges := map[string]stored{}, map[edge]edgeState{}
		for committed := 0; committed < len(log); {
			start := rapid.IntRange(0, committed).Draw(t, "start") // at the committed offset or before it
			end := rapid.IntRange(start+1, len(log)).Draw(t, "end")
			f := newFold(&follows, maps.Clone(rows))
			for _, e := range log[start:end] {
				f.apply(e)
			}
			for _, e := range f.writtenEdges() {
				if old, ok := edges[e.edge]; !ok || old.version <= e.version {
					edges[e.edge] = e
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "dies before the rows are written") == 2 {
				continue
			}
			for _, r := range f.written() {
				if old, ok := rows[r.Key]; !ok || old.Version <= r.Version {
					rows[r.Key] = r
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "dies before the commit") < 2 {
				committed = max(committed, end)
			}
		}
		alive := map[edge]bool{}
		for e, state := range edges {
			if !state.gone {
				alive[e] = true
			}
		}
		want := map[edge]bool{}
		state := map[string]mapping.Row{}
		for _, e := range log {
			state[e.row.Key] = e.row
		}
		for _, r := range state {
			for _, e := range edgesOf(mapping.Follow, r) {
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
	at := func(r stored) place { return place{r.First, r.CreatedAt.Unix(), r.Key} }
	comments := mapping.Source{Kind: mapping.Comment}
	rapid.Check(t, func(t *rapid.T) {
		log := commentLog(t, &comments)
		rows, reactions := map[string]stored{}, map[place]stored{}
		insert := func(written []stored) (whole bool) {
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
			f := newFold(&comments, maps.Clone(rows))
			for _, e := range log[start:end] {
				f.apply(e)
			}
			if slices.ContainsFunc(append(f.left, f.written()), func(each []stored) bool { return !insert(each) }) {
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
		version, err := versionOf(1, int64(i))
		require.NoError(t, err)
		e := entry{source: s, version: version, row: mapping.Row{Key: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "key")}}
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
	at := func(epoch uint16, offset int64) uint64 {
		v, err := versionOf(epoch, offset)
		require.NoError(t, err)
		return v
	}
	row := func(other int64) mapping.Row { return mapping.Row{Key: "1", First: 1, Other: other} }
	have := stored{Row: row(2), Version: at(2, 1000)} // written by a producer that did not know that the topic grew
	apply := func(have stored, e entry) (stored, *fold) {
		e.source = &follows
		f := newFold(&follows, map[string]stored{"1": have})
		f.apply(e)
		return f.rows["1"], f
	}
	repaired, f := apply(have, entry{version: at(2, 4), repair: true, repairs: have.Version, row: row(3)})
	require.EqualValues(t, 3, repaired.Other)
	require.Greater(t, repaired.Version, have.Version)
	require.Equal(t, 1, f.raised)
	same, f := apply(repaired, entry{version: at(2, 4), repair: true, repairs: have.Version, row: row(3)})
	require.Equal(t, repaired, same, "read again")
	require.Equal(t, 1, f.replays+f.stale)

	next, _ := apply(repaired, entry{version: at(2, 5), raise: true, row: row(4)})
	require.EqualValues(t, 4, next.Other, "the row's own partition goes on from there")
	require.Greater(t, next.Version, repaired.Version)
	older, _ := apply(next, entry{version: at(1, 99999), row: row(5)})
	require.Equal(t, next, older, "what is from before the growth is older")
	older, _ = apply(next, entry{version: at(1, 99999), raise: true, row: row(5)})
	require.Equal(t, next, older)
	replay, f := apply(repaired, entry{version: at(2, 5), row: row(4)})
	require.Equal(t, repaired, replay, "in a topic that never grew a lower place was applied before")
	require.Equal(t, 1, f.replays)
}

func TestABlockIsAnEdgeOfBoth(t *testing.T) {
	row := mapping.Row{Key: "1", First: 1, Other: 2}
	require.Equal(t, []edge{{1, edgeBlocks, 2, "1"}, {2, edgeBlockedBy, 1, "1"}}, edgesOf(mapping.Block, row))
	require.Equal(t, []edge{{1, edgeFollow, 2, "1"}}, edgesOf(mapping.Follow, row))
	require.Equal(t, []edge{{1, edgeMute, 2, "1"}}, edgesOf(mapping.Mute, row))
	row.Gone = true
	require.Empty(t, edgesOf(mapping.Block, row))
	require.Empty(t, edgesOf(mapping.Follow, mapping.Row{Key: "1", First: 1}), "nobody at its other end")
}
