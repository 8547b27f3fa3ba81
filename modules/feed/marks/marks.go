package marks

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
)

// Size is the number of bytes of one mark.
const Size = 12

// Append appends a mark.
func Append(b []byte, post core.ID, at time.Time) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(post))
	return binary.LittleEndian.AppendUint32(b, uint32(max(0, at.Unix()))) // until the year 2106
}

// Standing is how many posts are hidden by a log of hidden posts, as far as that was since a time: however often one
// was told, or hidden, it is one.
func Standing(b []byte, since time.Time) int {
	var undone Undone
	undone.Learn(b)
	hidden, from := make(map[core.ID]struct{}, len(b)/Size), max(0, since.Unix())
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); post.Valid() && at >= from && undone.stands(post, at) {
			hidden[post] = struct{}{}
		}
	}
	return len(hidden)
}

// Without are the marks of b, in their order, that others does not have.
func Without(b, others []byte) []byte {
	if len(others) < Size {
		return b
	}
	has := make(map[[Size]byte]struct{}, len(others)/Size)
	for ; len(others) >= Size; others = others[Size:] {
		has[[Size]byte(others)] = struct{}{}
	}
	var out []byte
	for ; len(b) >= Size; b = b[Size:] {
		if _, found := has[[Size]byte(b)]; !found {
			out = append(out, b[:Size]...)
		}
	}
	return out
}

// Any tells whether there is a mark at all.
func Any(b []byte) bool {
	for ; len(b) >= Size; b = b[Size:] {
		if post, _ := first(b); post.Valid() {
			return true
		}
	}
	return false
}

// Undo stands in the place of a post that is hidden no more. Marks of hidden posts are a log: of those of a post, the
// latest holds, and of one second, the undo: nobody hides a post again within it.
func Undo(post core.ID) core.ID { return -post }

// none is above the ids that None gives: no post has an id that far from zero.
const none = core.ID(math.MinInt64 + 1<<32)

// None stands in the place of a post and says that somebody looked, and that for so many of what is
// counted there is no mark to be found. No post has such an id.
func None(n int) core.ID { return math.MinInt64 + core.ID(n) }

// Lacking is how many of what is counted have no mark to be found, as who looked last on this day (UTC)
// says; tomorrow other days are counted.
func Lacking(b []byte, now time.Time) (n int) {
	const day = 24 * 60 * 60
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); post < none && at/day == now.Unix()/day {
			n = int(post - math.MinInt64)
		}
	}
	return n
}

func first(b []byte) (post core.ID, at int64) {
	return core.ID(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint32(b[8:]))
}

// Collect adds to set the posts that were marked at or after since and before until. A torn mark at
// the end is ignored.
func Collect(set *idset.Set, b []byte, since, until time.Time) {
	from, to := max(0, since.Unix()), max(0, until.Unix())
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); at >= from && at < to {
			set.Add(post) // which takes no id that is not one
		}
	}
}

// Undone is when hides were taken back last, by post.
type Undone map[core.ID]int64

// Learn takes over what b says was taken back. Hardly anybody does: so mostly nothing is made.
func (u *Undone) Learn(b []byte) {
	for ; len(b) >= Size; b = b[Size:] {
		post, at := first(b)
		if post >= 0 || post < none {
			continue
		}
		if *u == nil {
			*u = Undone{}
		}
		(*u)[-post] = max((*u)[-post], at)
	}
}

// Stands tells whether a hide of a time holds.
func (u Undone) Stands(post core.ID, at time.Time) bool { return u.stands(post, at.Unix()) }

func (u Undone) stands(post core.ID, at int64) bool {
	back, was := u[post]
	return !was || at > back
}

// CollectHidden is Collect of a log of hidden posts.
func CollectHidden(set *idset.Set, b []byte, since, until time.Time, undone Undone) {
	if len(undone) == 0 {
		Collect(set, b, since, until)
		return
	}
	from, to := max(0, since.Unix()), max(0, until.Unix())
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); at >= from && at < to && undone.stands(post, at) {
			set.Add(post)
		}
	}
}
