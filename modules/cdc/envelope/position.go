package envelope

import "time"

// StreamPosition is a place in the stream of commits. It rises along the stream of one cluster.
type StreamPosition struct {
	Known      bool
	LastCommit uint64 // the commit before this transaction's
	LSN        uint64
}

// Before tells whether p is before q in the stream of the same cluster. Rows that were written
// together (COPY), and the two records of a changed key, share a position.
func (p StreamPosition) Before(q StreamPosition) bool {
	if p.LastCommit != q.LastCommit {
		return p.LastCommit < q.LastCommit
	}
	return p.LSN < q.LSN
}

// SourcePosition says when a row was written in PostgreSQL, and in which cluster.
type SourcePosition struct {
	LSN         uint64
	System      uint64 // zero: not told
	CommittedAt time.Time
}

// WrittenAt is where the change was written.
func (s Source) WrittenAt() SourcePosition {
	return SourcePosition{LSN: s.LSN, System: s.System, CommittedAt: s.CommittedAt.Truncate(time.Millisecond)}
}
