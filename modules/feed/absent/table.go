package absent

import (
	"sync/atomic"

	"github.com/feedrank/feedrank/modules/core"
)

// table holds ids. Many may ask while one changes it.
type table struct {
	slots []atomic.Int64 // a power of two, at most half of it in use
	used  int            // with those that were removed
	live  int
}

const (
	free    = 0
	removed = int64(core.NoID)
)

func newTable(room int) *table {
	size := 16
	for size < 4*room {
		size *= 2
	}
	return &table{slots: make([]atomic.Int64, size)}
}

// place is where an id is, or the free slot where the search for it ends.
func (t *table) place(id core.ID) (at uint64, found bool) {
	mask := uint64(len(t.slots) - 1)
	for at = id.Hash() & mask; ; at = (at + 1) & mask {
		switch t.slots[at].Load() {
		case int64(id):
			return at, true
		case free:
			return at, false
		}
	}
}

func (t *table) has(id core.ID) bool {
	_, found := t.place(id)
	return found
}

// add puts an id in, which is not there; false: there is no room left.
func (t *table) add(id core.ID) bool {
	if 2*(t.used+1) > len(t.slots) {
		return false
	}
	at, _ := t.place(id)
	t.slots[at].Store(int64(id))
	t.used++
	t.live++
	return true
}

// remove takes an id out, and tells whether it was there.
func (t *table) remove(id core.ID) bool {
	at, found := t.place(id)
	if found {
		t.slots[at].Store(removed)
		t.live--
	}
	return found
}

// grown is a table of the same ids with room for as many again.
func (t *table) grown() *table {
	bigger := newTable(max(16, t.live))
	for i := range t.slots {
		if id := t.slots[i].Load(); id != free && id != removed {
			bigger.add(core.ID(id))
		}
	}
	return bigger
}
