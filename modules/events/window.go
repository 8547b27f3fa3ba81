package events

import (
	"encoding/binary"

	"github.com/feedrank/feedrank/modules/core"
)

// identity is what makes two events one, whatever else they say.
type identity struct {
	user core.ID
	id   core.EventID
}

// hash spreads identities. Event ids are random, but a client could choose them: a bad choice costs
// only its own user look-ups.
func (i identity) hash() uint64 {
	h := binary.LittleEndian.Uint64(i.id[:8]) ^ binary.LittleEndian.Uint64(i.id[8:])*0x9e3779b97f4a7c15 ^ uint64(i.user)*0xd6e8feb86659fd93 //nolint:gosec // bits
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

// recent is a window over the latest ids, exact, with the offset under which each was seen first. It
// holds between half of its size and all of it: the older of two maps is dropped when the younger is
// half full.
type recent struct {
	half       int
	young, old map[identity]int64
}

func newRecent(size int) *recent {
	return &recent{half: max(1, size/2), young: map[identity]int64{}, old: map[identity]int64{}}
}

// find is the offset under which an id was seen.
func (w *recent) find(i identity) (offset int64, ok bool) {
	if offset, ok = w.young[i]; ok {
		return offset, true
	}
	offset, ok = w.old[i]
	return offset, ok
}

func (w *recent) add(i identity, offset int64) {
	if len(w.young) >= w.half {
		w.old, w.young = w.young, w.old
		clear(w.young)
	}
	w.young[i] = offset
}

func (w *recent) len() int { return len(w.young) + len(w.old) }
