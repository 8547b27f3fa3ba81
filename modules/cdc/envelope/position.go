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

// SourcePosition says when a row was written in PostgreSQL, and in which log.
type SourcePosition struct {
	LSN         uint64
	Log         uint64 // zero: not told
	CommittedAt time.Time
}

// ScanPosition reads where a log stands now, as the query cdc_position answers.
func ScanPosition(row interface{ Scan(into ...any) error }) (SourcePosition, error) {
	var (
		at       SourcePosition
		system   uint64
		timeline uint32
	)
	err := row.Scan(&at.LSN, &system, &timeline, &at.CommittedAt)
	at.Log = LogOf(system, timeline)
	return at, err
}

// LogOf is the identity of a log within which positions compare: of a cluster, and of its timeline. A standby that
// takes over goes on where it had come to, at positions that the lost primary may have used for commits of its own.
func LogOf(system uint64, timeline uint32) uint64 {
	if system == 0 || timeline <= 1 {
		return system
	}
	const spread = 0x9E3779B97F4A7C15 // odd: no two timelines of a cluster share an identity
	return system ^ uint64(timeline)*spread
}

// Log is the identity of the log that the source reads.
func (s Source) Log() uint64 { return LogOf(s.System, s.Timeline) }

// WrittenAt is where the change was written.
func (s Source) WrittenAt() SourcePosition {
	return SourcePosition{LSN: s.LSN, Log: s.Log(), CommittedAt: s.CommittedAt.Truncate(time.Millisecond)}
}
