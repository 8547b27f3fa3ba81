package deadletter

import (
	"cmp"
	"slices"
)

// Sort is how a list of letters is ordered.
type Sort string

// The ways to sort.
const (
	Oldest   Sort = "oldest" // first
	Newest   Sort = "newest" // first
	ByReason Sort = "reason"
	Largest  Sort = "largest" // first
)

// begin puts letters, which come oldest first, into an order, and finds where a page begins; -1: there is nothing more.
// By age, after is a position in the queue, so a page begins where it should although others were dealt with
// meanwhile. Else it is a number of letters.
func (s Sort) begin(all []*Entry, after int64) int {
	switch s {
	case Newest:
		slices.Reverse(all)
		return slices.IndexFunc(all, func(e *Entry) bool { return after == 0 || e.position < after })
	case ByReason:
		slices.SortStableFunc(all, func(a, b *Entry) int { return cmp.Compare(a.Reason, b.Reason) })
	case Largest:
		slices.SortStableFunc(all, func(a, b *Entry) int { return cmp.Compare(b.Bytes, a.Bytes) })
	case Oldest:
		return slices.IndexFunc(all, func(e *Entry) bool { return e.position >= after })
	}
	if after >= int64(len(all)) {
		return -1
	}
	return int(after)
}

// next is where the page after one begins that ends before this letter.
func (s Sort) next(all []*Entry, at int) int64 {
	switch s {
	case ByReason, Largest:
		return int64(at)
	case Newest: // zero would be the end
		return all[at].position + 1
	case Oldest:
	}
	return all[at].position
}
