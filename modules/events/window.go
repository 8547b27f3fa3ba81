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
	return mix(binary.LittleEndian.Uint64(i.id[:8]) ^ binary.LittleEndian.Uint64(i.id[8:])*0x9e3779b97f4a7c15 ^ uint64(i.user)*0xd6e8feb86659fd93) //nolint:gosec // bits
}

func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

// window holds the latest keys, between half of its size and all of it: the older of two maps is dropped
// when the younger is half full. So of half its size the latest are all there.
type window[K comparable, V any] struct {
	half       int
	young, old map[K]V
}

func newWindow[K comparable, V any](size int) *window[K, V] {
	return &window[K, V]{half: max(1, size/2), young: map[K]V{}, old: map[K]V{}}
}

func (w *window[K, V]) find(k K) (v V, ok bool) {
	if v, ok = w.young[k]; ok {
		return v, true
	}
	v, ok = w.old[k]
	return v, ok
}

func (w *window[K, V]) add(k K, v V) {
	if len(w.young) >= w.half {
		w.old, w.young = w.young, w.old
		clear(w.young)
	}
	w.young[k] = v
}

func (w *window[K, V]) len() int { return len(w.young) + len(w.old) }

func (w *window[K, V]) clear() {
	clear(w.young)
	clear(w.old)
}

// recent are the latest ids, with the offset under which each was seen first.
type recent = window[identity, int64]

func newRecent(size int) *recent { return newWindow[identity, int64](size) }
