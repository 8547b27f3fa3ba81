package hot

import (
	"runtime"

	"github.com/feedrank/feedrank/modules/core"
)

// places finds the place of an id: an open table of 8 bytes a slot. A page looks 500 ids up among
// hundreds of thousands, and a slot that holds part of the hash tells nearly every stranger without a
// look at its post. Its zero value is empty. It is not safe for concurrent use.
type places struct {
	slots []uint64 // 32 bits of the hash, the place plus one; zero is free. A power of two
	n     int
}

// roomFor makes a table for n ids.
func roomFor(n int) places {
	size := 16
	for size*2 < n*3 {
		size *= 2
	}
	return places{slots: make([]uint64, size)}
}

const upperHalf = 0xffffffff << 32

// mask makes a slot of a hash: there are a power of two of them.
func (t *places) mask() uint64 { return uint64(len(t.slots)) - 1 }

// find is the slot of an id and its place; the place is below zero where the id is not there.
func (t *places) find(id core.ID, x *index) (slot uint64, place int64) {
	if len(t.slots) == 0 {
		return 0, -1
	}
	hash, mask := id.Hash(), t.mask()
	for i := hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return i, -1
		}
		if (s^hash)&upperHalf == 0 {
			if place := uint32(s) - 1; x.at(place).ID == id {
				return i, int64(place)
			}
		}
	}
}

// touch loads the slots of ids into the processor's caches.
func (t *places) touch(ids []core.ID) {
	if len(t.slots) == 0 {
		return
	}
	loaded, mask := uint64(0), t.mask()
	for _, id := range ids {
		loaded |= t.slots[id.Hash()&mask]
	}
	runtime.KeepAlive(loaded)
}

// guess is the place that find would find, but for one id in billions; it does not look at posts. It is
// below zero only where the id is not there.
func (t *places) guess(id core.ID) int64 {
	if len(t.slots) == 0 {
		return -1
	}
	hash, mask := id.Hash(), t.mask()
	for i := hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return -1
		}
		if (s^hash)&upperHalf == 0 {
			return int64(uint32(s) - 1)
		}
	}
}

// add puts in an id that is not there.
func (t *places) add(id core.ID, place uint32, x *index) {
	if 4*(t.n+1) > 3*len(t.slots) {
		t.grow(x)
	}
	t.insert(id.Hash(), place)
	t.n++
}

func (t *places) insert(hash uint64, place uint32) {
	mask := t.mask()
	i := hash & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = hash&upperHalf | uint64(place+1)
}

// remove frees a slot and moves up what stands behind it only because it was taken.
func (t *places) remove(slot uint64, x *index) {
	mask := t.mask()
	free := slot
	for i := (slot + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		home := x.at(uint32(t.slots[i])-1).ID.Hash() & mask
		if (i-home)&mask >= (i-free)&mask {
			t.slots[free] = t.slots[i]
			free = i
		}
	}
	t.slots[free] = 0
	t.n--
}

func (t *places) grow(x *index) {
	old := t.slots
	t.slots = make([]uint64, max(16, 2*len(old)))
	for _, s := range old {
		if s != 0 {
			place := uint32(s) - 1
			t.insert(x.at(place).ID.Hash(), place)
		}
	}
}
