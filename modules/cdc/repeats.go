package cdc

import (
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// progress is how far one partition has followed the stream of commits. A connector that restarts
// writes again what it wrote since its last checkpoint; such records are recognised here and left
// out, so that rows do not move back for a while. In doubt a record is applied: repeats end with the
// last change of every key, so they converge.
type progress struct {
	at     envelope.Position
	system uint64
	time   time.Time
}

// repeats tells whether the record was certainly seen before.
func (p *progress) repeats(s envelope.Source) bool {
	if s.Snapshot != envelope.Streaming || !s.Position.Known || !p.at.Known || s.System != p.system {
		return false
	}
	// A rebuilt cluster starts low again, but later in time.
	return s.Position.Before(p.at) && !s.CommittedAt.After(p.time)
}

// advance takes note of a record that is applied.
func (p *progress) advance(s envelope.Source) {
	if s.Snapshot == envelope.Incremental {
		return // a chunk among the stream says nothing about the stream
	}
	if s.Snapshot == envelope.Initial || !s.Position.Known {
		*p = progress{}
		return
	}
	*p = progress{at: s.Position, system: s.System, time: s.CommittedAt}
}
