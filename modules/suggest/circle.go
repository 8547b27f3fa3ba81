package suggest

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// Circle is whom one person follows, and whose posts they care for, at most Config.PerSeed of each: the
// newest follows, and the authors they did most with. It is the same for whoever asks. So that many fit into
// memory it is packed: how many follows there are, each as its distance from the one before, and then authors
// likewise, each with a weight. A circle without anybody is empty.
type Circle string

// Act is what somebody did with an author's posts, weighted.
type Act struct {
	Author core.ID
	Weight int64
}

// Pack makes a circle; it sorts what it is given.
func Pack(follows []core.ID, acts []Act) Circle {
	if len(follows)+len(acts) == 0 {
		return ""
	}
	slices.Sort(follows)
	slices.SortFunc(acts, func(a, b Act) int { return cmp.Compare(a.Author, b.Author) })
	b := binary.AppendUvarint(make([]byte, 0, 4*len(follows)+6*len(acts)+4), uint64(len(follows)))
	last := core.ID(0)
	for _, id := range follows {
		b, last = binary.AppendVarint(b, int64(id-last)), id
	}
	last = 0
	for _, act := range acts {
		b, last = binary.AppendVarint(b, int64(act.Author-last)), act.Author
		b = binary.AppendVarint(b, act.Weight)
	}
	return Circle(b)
}

// Each unpacks a circle.
func (c Circle) Each(follows func(core.ID), acts func(Act)) {
	b := []byte(c)
	next := func() int64 {
		v, n := binary.Varint(b)
		b = b[max(n, 0):]
		return v
	}
	n, skip := binary.Uvarint(b)
	b = b[max(skip, 0):]
	last := core.ID(0)
	for ; n > 0; n-- {
		last += core.ID(next())
		follows(last)
	}
	for last = 0; len(b) > 0; {
		last += core.ID(next())
		acts(Act{Author: last, Weight: next()})
	}
}
