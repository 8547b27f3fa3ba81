package consumer

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/core"
)

// entry is one change of one row, decoded and mapped.
type entry struct {
	source      *mapping.Source
	key         envelope.Row
	row         mapping.Row
	version     replica.Version
	position    envelope.SourcePosition
	committedAt time.Time
	delete      bool // the record tells no more than the key
	create      bool // nothing alive is under the key
	streamed    bool // not of a snapshot
	truncated   bool // by a truncate that was known before
	repair      bool // counts only if the row's version is repairs
	repairs     replica.Version
	// nil where all keys are integers: it can only become a dead letter for its keys
	record    *sarama.ConsumerMessage
	epoch     uint16
	ask       bool // what it says must be read from the app's table
	unordered bool // other partitions may have changes of the row
	raise     bool // what is stored may have a higher version and be older
}

// needsStored tells whether the entry cannot be applied without what we have of its row.
func (e entry) needsStored() bool {
	kind := e.source.Kind
	return e.repair || e.raise || kind.HasEdges() || (kind.Counted() && (!e.create || e.ahead())) ||
		(kind == mapping.User && !e.create && e.streamed && e.source.MayReturn())
}

// ahead tells whether the row is dated later than it was committed.
func (e entry) ahead() bool { return !e.committedAt.IsZero() && e.row.CreatedAt.After(e.committedAt) }

// countedAt is from when on the row counts: one that is dated ahead, from when it arrived.
func (e entry) countedAt(row mapping.Row, old replica.Row, known bool) time.Time {
	switch {
	case known && (e.delete || (!old.Gone && old.CreatedAt.Equal(row.CreatedAt))):
		return old.Counted
	case e.ahead():
		return e.committedAt.Truncate(time.Microsecond)
	}
	return row.CreatedAt
}

// merge applies changes in their order to what is stored, in memory, and collects what is to be
// written: of each row its last state, of each edge likewise.
type merge struct {
	source *mapping.Source
	kind   mapping.Kind
	rows   map[string]replica.Row // what we have, as far as it was looked up or changed
	dirty  map[string]bool
	edges  map[mapping.Edge]replica.Edge
	// of counted rows that moved: what is to be gone from where they were, by their how manieth move it was
	vacated [][]replica.Row
	moves   map[string]int // so far, by row
	changes []core.Change
	replays int
	stale   int // repairs that came too late
	raised  int // changes whose place in the log is below what they change
	// unordered are the keys that must be looked at once more when all is written.
	unordered map[string]bool
}

func newMerge(s *mapping.Source, have map[string]replica.Row) *merge {
	if have == nil {
		have = map[string]replica.Row{}
	}
	return &merge{
		source: s, kind: s.Kind, rows: have, dirty: map[string]bool{}, edges: map[mapping.Edge]replica.Edge{},
		moves: map[string]int{}, unordered: map[string]bool{},
	}
}

func (m *merge) apply(e entry) {
	key := m.kind.CopyKey(e.row)
	old, known := m.rows[key]
	seen := known && old.Version.Record() >= e.version
	switch {
	case e.repair && old.Version == e.repairs: // it outranks what it names, wherever in the log it is
	case e.raise && (e.unordered || old.Version.Epoch() == e.version.Epoch()) && !e.repair:
	case seen:
		m.replays++ // it is in the row that we have, and its edges were written before that
		if old.Version.Record() == e.version {
			old.Until = e.row.Until // which only the edges have
			m.reapply(key, old, e.committedAt)
		}
		return
	case e.repair:
		m.stale++ // a change came first: it is younger than what the comparison saw
		return
	}
	if seen {
		e.version = old.Version.Next()
		m.raised++
	}
	if e.unordered {
		m.unordered[key] = true
	}
	row := e.row
	if e.delete && known { // a delete tells the key only
		row.First, row.Other, row.CreatedAt, row.Hidden = old.First, old.Other, old.CreatedAt, old.Hidden
		row.Audience, row.NoDiscovery, row.Value = old.Audience, old.NoDiscovery, old.Value
		row.Labels = old.Labels
	}
	next := replica.Row{Row: row, Counted: e.countedAt(row, old, known), Version: e.version, Position: e.position}
	if e.truncated { // above what somebody writes who has not heard of the truncate
		next.Version = e.version.Derived()
	}
	before := old.Row
	if e.repair { // what was deleted may have left edges behind
		before.Gone = false
	}
	m.noteChanges(before, known, next, e.repair || seen, e.committedAt)
	if known && m.kind.Counted() && (old.First != next.First || !old.CountedAt().Equal(next.CountedAt())) {
		from := old
		from.Gone, from.Version = true, e.version-1 // above all that was, below what comes
		m.vacate(key, from)
	}
	m.rows[key] = next
	m.dirty[key] = true
}

// vacate notes what a row leaves where it was. Moves of one row are written one after the other: whoever
// finds what the second one left may rely on what the first one left being gone from every copy.
func (m *merge) vacate(key string, from replica.Row) {
	n := m.moves[key]
	m.moves[key]++
	if n == len(m.vacated) {
		m.vacated = append(m.vacated, nil)
	}
	m.vacated[n] = append(m.vacated[n], from)
}

// reapply treats the last change of a row that was applied before: we may have ended between writing
// the row and what comes after that, so it is written and notified of once more.
func (m *merge) reapply(key string, old replica.Row, at time.Time) {
	m.dirty[key] = true
	if m.kind == mapping.Post {
		m.changes = append(m.changes, mapping.PostChange(old.Row, at))
		return
	}
	if m.kind == mapping.User {
		m.changes = append(m.changes, mapping.UserChange(old.Row, at))
		return
	}
	row := old.Row
	row.Gone = false
	for _, e := range m.kind.Edges(row) {
		m.noteEdge(e, old, old.Gone, true, at)
	}
}

// noteChanges notes the edges that go and come, and what observers are to be notified of.
func (m *merge) noteChanges(old mapping.Row, known bool, next replica.Row, anew bool, at time.Time) {
	if m.kind == mapping.Post {
		m.changes = append(m.changes, mapping.PostChange(next.Row, at))
		return
	}
	// Users are not looked up for every change of theirs, so observers hear of who goes even where we do not know
	// that they were here; of who comes and was not known to be gone, nobody holds anything.
	wasAbsent, optedOut := known && old.Absent(), known && old.NoDiscovery
	if m.kind == mapping.User && (wasAbsent != next.Absent() || optedOut != next.NoDiscovery) {
		m.changes = append(m.changes, mapping.UserChange(next.Row, at))
	}
	if !m.kind.HasEdges() {
		return
	}
	before := map[mapping.Edge]bool{}
	if known {
		for _, e := range m.kind.Edges(old) {
			before[e] = true
		}
	}
	for _, e := range m.kind.Edges(next.Row) {
		m.noteEdge(e, next, false, anew || !before[e] || m.source.HasEnds(), at)
		delete(before, e)
	}
	for e := range before {
		m.noteEdge(e, next, true, true, at)
	}
}

func (m *merge) noteEdge(e mapping.Edge, cause replica.Row, gone, changed bool, at time.Time) {
	m.edges[e] = replica.Edge{
		Edge: e, CreatedAt: cause.CreatedAt, Until: cause.Until, Version: cause.Version, Gone: gone,
		Position: cause.Position,
	}
	if change, ok := mapping.EdgeChange(e, gone); ok && changed {
		change.CommittedAt, change.Until = at, cause.Until
		m.changes = append(m.changes, change)
	}
}

// written are the rows to insert.
func (m *merge) written() []replica.Row {
	out := make([]replica.Row, 0, len(m.dirty))
	for key := range m.dirty {
		out = append(out, m.rows[key])
	}
	return out
}

func (m *merge) writtenEdges() []replica.Edge {
	out := make([]replica.Edge, 0, len(m.edges))
	for _, e := range m.edges {
		out = append(out, e)
	}
	return out
}

// applyTruncates marks as deleted what was written of rows that a truncate takes, which became known meanwhile. Their
// version is the one derived from the record, so that a later change is above it.
func (m *merge) applyTruncates(ts replica.Tombstones) (rows []replica.Row, edges []replica.Edge) {
	for key := range m.dirty {
		if r := m.rows[key]; !r.Gone && ts.Truncated(r.Position) {
			r.Gone, r.Version = true, r.Version.Derived()
			m.rows[key] = r
			rows = append(rows, r)
		}
	}
	for key, e := range m.edges {
		if !e.Gone && ts.Truncated(e.Position) {
			e.Gone, e.Version = true, e.Version.Derived()
			m.edges[key] = e
			edges = append(edges, e)
		}
	}
	return rows, edges
}
