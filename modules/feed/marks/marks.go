package marks

import (
	"encoding/binary"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
)

// Size is the number of bytes of one mark.
const Size = 12

// Append appends a mark.
func Append(b []byte, post core.ID, at time.Time) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(post))
	return binary.LittleEndian.AppendUint32(b, uint32(max(0, at.Unix()))) // until the year 2038: see Undo
}

// Standing is how many posts are hidden by a log of hidden posts, as far as that was since a time: however often one
// was told, or hidden, it is one.
func Standing(b []byte, since time.Time) int {
	var back Undone
	back.Learn(b)
	hidden, from := make(map[core.ID]struct{}, len(b)/Size), max(0, since.Unix())
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); post.Valid() && at >= from && back.stands(post, at) {
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

// undone is set in the time of a mark that takes a hide back.
const undone = 1 << 31

// Undo is the time of a mark of a post that is hidden no more since then. Marks of hidden posts are a log: of those of
// a post, the latest holds, and of one second, the undo: nobody hides a post again within it.
func Undo(at time.Time) time.Time { return time.Unix(at.Unix()|undone, 0) }

// When is the second of a mark's time, of one that takes a hide back, too.
func When(at time.Time) int64 { return at.Unix() &^ undone }

// None stands in the place of a post, beside Lack, and says that somebody looked.
const None = core.NoID

// Lack is the time of a mark of None that says that for so many of what is counted there is no mark to be found, as
// somebody saw who looked on this day (UTC).
func Lack(n int, at time.Time) time.Time { return time.Unix(dayOf(at)<<16|int64(min(n, 1<<16-1)), 0) }

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// Lacking is how many of what is counted have no mark to be found, as who looked last on this day (UTC)
// says; tomorrow other days are counted.
func Lacking(b []byte, now time.Time) (n int) {
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := read(b); post == None && at>>16 == dayOf(now) {
			n = int(at & (1<<16 - 1))
		}
	}
	return n
}

func read(b []byte) (post core.ID, at int64) {
	return core.ID(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint32(b[8:]))
}

// first is the first mark of a post, and when it was made. Of what is no mark of a post the id is not valid.
func first(b []byte) (post core.ID, at int64) {
	post, at = read(b)
	if at >= undone || post == None {
		return 0, 0
	}
	return post, at
}

// Latest is when a post was marked last; zero where it was not.
func Latest(b []byte, of core.ID) (latest time.Time) {
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); post == of && at > 0 && !time.Unix(at, 0).Before(latest) {
			latest = time.Unix(at, 0).UTC()
		}
	}
	return latest
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
		post, at := read(b)
		if at < undone {
			continue
		}
		if *u == nil {
			*u = Undone{}
		}
		(*u)[post] = max((*u)[post], at&^undone)
	}
}

func (u Undone) stands(post core.ID, at int64) bool {
	back, was := u[post]
	return !was || at > back
}

// CollectHidden is Collect of a log of hidden posts.
func CollectHidden(set *idset.Set, b []byte, since, until time.Time, back Undone) {
	if len(back) == 0 {
		Collect(set, b, since, until)
		return
	}
	from, to := max(0, since.Unix()), max(0, until.Unix())
	for ; len(b) >= Size; b = b[Size:] {
		if post, at := first(b); at >= from && at < to && back.stands(post, at) {
			set.Add(post)
		}
	}
}
