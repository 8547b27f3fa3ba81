package cdc

import (
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// origin says when a row was written in PostgreSQL, and in which cluster.
type origin struct {
	LSN         uint64
	System      uint64 // zero: not told
	CommittedAt time.Time
}

func originOf(s envelope.Source) origin {
	return origin{LSN: s.LSN, System: s.System, CommittedAt: s.CommittedAt.Truncate(time.Millisecond)}
}

// clockSlack is by how much the clock of one database may step back between two commits.
const clockSlack = time.Minute

// kills tells whether a truncate at t takes a row of the same table with it. TRUNCATE holds an
// exclusive lock, so within one cluster the place in the write-ahead log decides. A cluster that was
// rebuilt starts its places low again: across clusters the time decides, and where the source does
// not tell which cluster it is, times that are far apart do.
func (t origin) kills(row origin) bool {
	if t.System != 0 && t.System == row.System {
		return row.LSN < t.LSN
	}
	if t.System != 0 && row.System != 0 {
		return !row.CommittedAt.After(t.CommittedAt)
	}
	if apart := t.CommittedAt.Sub(row.CommittedAt); apart > clockSlack || apart < -clockSlack {
		return apart > 0
	}
	return row.LSN < t.LSN
}

// truncates is what one topic remembers: of each cluster the last truncate, which takes all that
// those before it would.
type truncates []origin

func (ts truncates) kill(row origin) bool {
	for _, t := range ts {
		if t.kills(row) {
			return true
		}
	}
	return false
}

// add remembers a truncate, in place of an earlier one of the same cluster.
func (ts truncates) add(t origin) truncates {
	out := make(truncates, 0, len(ts)+1)
	for _, old := range ts {
		if old.System != t.System {
			out = append(out, old)
			continue
		}
		if old.CommittedAt.After(t.CommittedAt) || (old.CommittedAt.Equal(t.CommittedAt) && old.LSN > t.LSN) {
			t = old
		}
	}
	return append(out, t)
}
