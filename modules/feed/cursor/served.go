package cursor

import (
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// Served is what a ranked session has served so far, in three bytes of a hash for each post, in the
// order of the session. With it a cursor says all that it takes to go on without the session's order:
// what comes next is whatever else there is. Of a million posts that were not served, a session of
// 500 takes 30 for one that was.
type Served []byte

const (
	servedSize = 3
	// MaxServed is how many posts a cursor can tell of; a longer session needs its order.
	MaxServed = 900
)

// Len is the number of posts.
func (g Served) Len() int { return len(g) / servedSize }

// Room is the same with room for n more.
func (g Served) Room(n int) Served { return slices.Grow(g, n*servedSize) }

// Append adds a post that a session served.
func (g Served) Append(session uint64, post core.ID) Served {
	h := hashOf(session, post)
	return append(g, byte(h), byte(h>>8), byte(h>>16))
}

// Latest are the hashes of the last posts that were served, each with its place among them.
func (g Served) Latest(n int) map[uint32]int {
	g = g[max(0, len(g)-n*servedSize):]
	places := make(map[uint32]int, g.Len())
	for i := range g.Len() {
		places[g.at(i)] = i
	}
	return places
}

// Within tells whether all posts but the first few are among those with these hashes.
func (g Served) Within(hashes map[uint32]struct{}, but int) bool {
	for i := but; i < g.Len(); i++ {
		if _, ok := hashes[g.at(i)]; !ok {
			return false
		}
	}
	return true
}

func (g Served) at(i int) uint32 {
	b := g[i*servedSize:]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
}

// Hash is what a session's cursors have of a post.
func Hash(session uint64, post core.ID) uint32 { return hashOf(session, post) }

// Posts is the set to look posts up in.
func (g Served) Posts(session uint64) ServedPosts {
	set := ServedPosts{session: session, hashes: make(map[uint32]struct{}, g.Len())}
	for i := range g.Len() {
		set.hashes[g.at(i)] = struct{}{}
	}
	return set
}

// ServedPosts answers whether a session has served a post. Its zero value says no.
type ServedPosts struct {
	session uint64
	hashes  map[uint32]struct{}
}

// Has tells whether the post was served.
func (s ServedPosts) Has(post core.ID) bool {
	if len(s.hashes) == 0 {
		return false
	}
	_, ok := s.hashes[hashOf(s.session, post)]
	return ok
}

// hashOf is another one in each session, so that no two posts are always taken for each other.
func hashOf(session uint64, post core.ID) uint32 {
	return uint32((post ^ core.ID(session)).Hash() >> 40)
}
