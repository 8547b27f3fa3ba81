package cdc

import (
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// entry is one change of one row, decoded and mapped.
type entry struct {
	source      *mapping.Source
	key         envelope.Row
	row         mapping.Row
	version     uint64
	origin      origin
	committedAt time.Time
	delete      bool // the record tells no more than the key
	create      bool // nothing alive is under the key
	streamed    bool // not of a snapshot
	killed      bool // by a truncate that was heard of before
	repair      bool // counts only if the row's version is repairs
	repairs     uint64
	ask         bool // what it says must be read from the app's table
	unordered   bool // other partitions may have changes of the row
	raise       bool // what is stored may have a higher version and be older
}

// needsStored tells whether the entry cannot be applied without what we have of its row.
func (e entry) needsStored() bool {
	return e.repair || e.raise || e.source.Kind.HasEdges() || (e.source.Kind.Counted() && (!e.create || e.ahead()))
}

// ahead tells whether the row is dated later than it was committed.
func (e entry) ahead() bool { return !e.committedAt.IsZero() && e.row.CreatedAt.After(e.committedAt) }

// countedAt is from when on the row counts: one that is dated ahead, from when it arrived.
func (e entry) countedAt(row mapping.Row, old stored, known bool) time.Time {
	switch {
	case known && (e.delete || (!old.Gone && old.CreatedAt.Equal(row.CreatedAt))):
		return old.Counted
	case e.ahead():
		return e.committedAt.Truncate(time.Microsecond)
	}
	return row.CreatedAt
}

// countedAt is when the row counts.
func (s stored) countedAt() time.Time {
	if s.Counted.IsZero() {
		return s.CreatedAt
	}
	return s.Counted
}

// fold applies changes in their order to what is stored, in memory, and collects what is to be
// written: of each row its last state, of each edge likewise.
type fold struct {
	source  *mapping.Source
	kind    mapping.Kind
	rows    map[string]stored // what we have, as far as it was looked up or changed
	dirty   map[string]bool
	edges   map[edge]edgeState
	left    [][]stored     // of counted rows that moved: what is to be gone from where they were, by their how manieth move it was
	moves   map[string]int // so far, by row
	changes []core.Change
	replays int
	stale   int // repairs that came too late
	raised  int // changes whose place in the log is below what they change
	// unordered are the keys that must be looked at once more when all is written.
	unordered map[string]bool
}

func newFold(s *mapping.Source, have map[string]stored) *fold {
	if have == nil {
		have = map[string]stored{}
	}
	return &fold{
		source: s, kind: s.Kind, rows: have, dirty: map[string]bool{}, edges: map[edge]edgeState{}, moves: map[string]int{}, unordered: map[string]bool{},
	}
}

func (f *fold) apply(e entry) {
	key := copyKey(f.kind, e.row)
	old, known := f.rows[key]
	seen := known && recordOf(old.Version) >= e.version
	switch {
	case e.repair && old.Version == e.repairs: // it outranks what it names, wherever in the log it is
	case e.raise && (e.unordered || epochOf(old.Version) == epochOf(e.version)) && !e.repair:
	case seen:
		f.replays++ // it is in the row that we have, and its edges were written before that
		if recordOf(old.Version) == e.version {
			f.again(key, old, e.committedAt)
		}
		return
	case e.repair:
		f.stale++ // a change came first: it is younger than what the comparison saw
		return
	}
	if seen {
		e.version = after(old.Version)
		f.raised++
	}
	if e.unordered {
		f.unordered[key] = true
	}
	row := e.row
	if e.delete && known { // a delete tells the key only
		row.First, row.Other, row.CreatedAt, row.Hidden = old.First, old.Other, old.CreatedAt, old.Hidden
	}
	next := stored{Row: row, Counted: e.countedAt(row, old, known), Version: e.version, Origin: e.origin}
	if e.killed { // above what somebody writes who has not heard of the truncate
		next.Version = derived(e.version)
	}
	before := old.Row
	if e.repair { // what was deleted may have left edges behind
		before.Gone = false
	}
	f.tell(before, known, next, e.repair || seen, e.committedAt)
	if known && f.kind.Counted() && (old.First != next.First || !old.countedAt().Equal(next.countedAt())) {
		from := old
		from.Gone, from.Version = true, e.version-1 // above all that was, below what comes
		f.leave(key, from)
	}
	f.rows[key] = next
	f.dirty[key] = true
}

// leave notes what a row leaves where it was. Moves of one row are written one after the other: whoever
// finds what the second one left may rely on what the first one left being gone from every copy.
func (f *fold) leave(key string, from stored) {
	n := f.moves[key]
	f.moves[key]++
	if n == len(f.left) {
		f.left = append(f.left, nil)
	}
	f.left[n] = append(f.left[n], from)
}

// again treats the last change of a row that was applied before: we may have ended between writing
// the row and what comes after that, so it is written and told once more.
func (f *fold) again(key string, old stored, at time.Time) {
	f.dirty[key] = true
	if f.kind == mapping.Post {
		f.changes = append(f.changes, postChange(old.Row, at))
		return
	}
	if f.kind == mapping.User {
		f.changes = append(f.changes, userChange(old.Row, at))
		return
	}
	row := old.Row
	row.Gone = false
	for _, e := range edgesOf(f.kind, row) {
		f.note(e, old, old.Gone, true, at)
	}
}

// tell notes the edges that go and come, and what the feed is to hear.
func (f *fold) tell(old mapping.Row, known bool, next stored, anew bool, at time.Time) {
	if f.kind == mapping.Post {
		f.changes = append(f.changes, postChange(next.Row, at))
		return
	}
	// Users are not looked up for every change of theirs, so who goes is told even where we do not know that they were
	// here; of who comes and was not known to be gone, nobody holds anything.
	wasGone := known && old.Gone
	if f.kind == mapping.User && wasGone != next.Gone {
		f.changes = append(f.changes, userChange(next.Row, at))
	}
	if !f.kind.HasEdges() {
		return
	}
	before := map[edge]bool{}
	if known {
		for _, e := range edgesOf(f.kind, old) {
			before[e] = true
		}
	}
	for _, e := range edgesOf(f.kind, next.Row) {
		f.note(e, next, false, anew || !before[e], at)
		delete(before, e)
	}
	for e := range before {
		f.note(e, next, true, true, at)
	}
}

func (f *fold) note(e edge, cause stored, gone, changed bool, at time.Time) {
	f.edges[e] = edgeState{edge: e, createdAt: cause.CreatedAt, version: cause.Version, gone: gone, origin: cause.Origin}
	if change, ok := edgeChange(e, gone); ok && changed {
		change.CommittedAt = at
		f.changes = append(f.changes, change)
	}
}

// written are the rows to insert.
func (f *fold) written() []stored {
	out := make([]stored, 0, len(f.dirty))
	for key := range f.dirty {
		out = append(out, f.rows[key])
	}
	return out
}

func (f *fold) writtenEdges() []edgeState {
	out := make([]edgeState, 0, len(f.edges))
	for _, e := range f.edges {
		out = append(out, e)
	}
	return out
}

// bury marks what was written of rows that a truncate takes, which became known meanwhile. Their
// version is the one derived from the record, so that a later change is above it.
func (f *fold) bury(ts truncates) (rows []stored, edges []edgeState) {
	for key := range f.dirty {
		if r := f.rows[key]; !r.Gone && ts.kill(r.Origin) {
			r.Gone, r.Version = true, derived(r.Version)
			f.rows[key] = r
			rows = append(rows, r)
		}
	}
	for key, e := range f.edges {
		if !e.gone && ts.kill(e.origin) {
			e.gone, e.version = true, derived(e.version)
			f.edges[key] = e
			edges = append(edges, e)
		}
	}
	return rows, edges
}

func userChange(row mapping.Row, at time.Time) core.Change {
	kind := core.UserBack
	if row.Gone {
		kind = core.UserGone
	}
	return core.Change{Kind: kind, Viewer: core.ID(row.ID), CommittedAt: at}
}

func postChange(row mapping.Row, at time.Time) core.Change {
	if row.Gone {
		return core.Change{Kind: core.PostDeleted, Post: core.Post{ID: core.ID(row.ID)}, CommittedAt: at}
	}
	post := core.Post{ID: core.ID(row.ID), AuthorID: core.ID(row.First), CreatedAt: row.CreatedAt}
	if row.Hidden {
		post.Visibility = core.Hidden
	}
	return core.Change{Kind: core.PostPut, Post: post, CommittedAt: at}
}
