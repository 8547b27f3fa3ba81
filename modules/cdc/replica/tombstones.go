package replica

import (
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// clockSlack is by how much the clock of one database may step back between two commits.
const clockSlack = time.Minute

// truncatedBy tells whether a truncate at t takes a row of the same table with it. TRUNCATE holds an
// exclusive lock, so within one log the place in it decides. A cluster that was rebuilt starts its places
// low again, and a standby that took over where it had come to: across logs the time decides, and where
// the source does not tell which log it is, times that are far apart do.
func truncatedBy(row, t envelope.SourcePosition) bool {
	if t.Log != 0 && t.Log == row.Log {
		return row.LSN < t.LSN
	}
	if t.Log != 0 && row.Log != 0 {
		return !row.CommittedAt.After(t.CommittedAt)
	}
	if apart := t.CommittedAt.Sub(row.CommittedAt); apart > clockSlack || apart < -clockSlack {
		return apart > 0
	}
	return row.LSN < t.LSN
}

// Tombstones are what one topic remembers of truncates: of each log the last one, which takes all that
// those before it would.
type Tombstones []envelope.SourcePosition

// Truncated tells whether one of the truncates takes a row that was written there.
func (ts Tombstones) Truncated(row envelope.SourcePosition) bool {
	return slices.ContainsFunc(ts, func(t envelope.SourcePosition) bool { return truncatedBy(row, t) })
}

// Add remembers a truncate, in place of an earlier one of the same log.
func (ts Tombstones) Add(t envelope.SourcePosition) Tombstones {
	out := make(Tombstones, 0, len(ts)+1)
	for _, old := range ts {
		if old.Log != t.Log {
			out = append(out, old)
			continue
		}
		if old.CommittedAt.After(t.CommittedAt) || (old.CommittedAt.Equal(t.CommittedAt) && old.LSN > t.LSN) {
			t = old
		}
	}
	return append(out, t)
}
