package consumer

import (
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// repeats knows the last change of each key that one partition's stream of commits had lately. A connector that
// restarts writes again what it wrote since its last checkpoint; changes of a key that are older than one that is
// here are left out, so that its row does not move back for a while. In doubt a record is applied: repeats end
// with the last change of every key, so they converge.
//
// Positions of different keys are not compared. That a later commit is here does not say that an earlier one is: a
// producer that gives up on one record may still bring the next, and what it gave up then comes again, for the
// first time.
type repeats struct {
	last map[string]change
	keys []string // in the order in which they came, as a ring
	next int
}

// change is where a change stands in the stream of commits.
type change struct {
	at   envelope.StreamPosition
	log  uint64
	time time.Time
}

// remembered bounds the keys of a partition: about 1 MB.
const remembered = 8192

// has tells whether a later change of the key is certainly here.
func (r *repeats) has(key []byte, s envelope.Source) bool {
	if s.Snapshot != envelope.Streaming || !s.StreamPosition.Known {
		return false
	}
	p, known := r.last[string(key)]
	// A rebuilt cluster starts low again, but later in time.
	return known && s.Log() == p.log && s.StreamPosition.Before(p.at) && !s.CommittedAt.After(p.time)
}

// add takes note of a record that is applied.
func (r *repeats) add(key []byte, s envelope.Source) {
	switch {
	case s.Snapshot == envelope.Incremental: // a chunk among the stream says nothing about the stream
	case s.Snapshot == envelope.Initial:
		*r = repeats{}
	case len(key) == 0: // a truncate: it is applied as often as it comes
	case !s.StreamPosition.Known:
		if _, known := r.last[string(key)]; known {
			r.last[string(key)] = change{} // nothing is before it
		}
	default:
		r.remember(string(key), change{at: s.StreamPosition, log: s.Log(), time: s.CommittedAt})
	}
}

func (r *repeats) remember(key string, p change) {
	if r.last == nil {
		r.last = make(map[string]change)
	}
	if _, known := r.last[key]; !known {
		if len(r.keys) < remembered {
			r.keys = append(r.keys, key)
		} else {
			delete(r.last, r.keys[r.next])
			r.keys[r.next] = key
			r.next = (r.next + 1) % remembered
		}
	}
	r.last[key] = p
}
