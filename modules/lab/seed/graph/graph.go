package graph

import "iter"

// Graph is a directed graph of users numbered from 0. It is kept as one list of followees after the
// other: 4 bytes a follow. The people a user cares for most come first in their list.
type Graph struct {
	starts    []uint32 // starts[u] to starts[u+1] are u's followees
	followees []uint32
	Mutes     []Edge
}

// Edge goes from one user to another.
type Edge struct{ From, To uint32 }

// Users is how many users there are.
func (g *Graph) Users() int { return len(g.starts) - 1 }

// Follows is how many follows there are.
func (g *Graph) Follows() int { return len(g.followees) }

// Followees are those whom a user follows. The caller must not change them.
func (g *Graph) Followees(user uint32) []uint32 {
	return g.followees[g.starts[user]:g.starts[user+1]]
}

// Has tells whether from follows to.
func (g *Graph) Has(from, to uint32) bool {
	for _, followee := range g.Followees(from) {
		if followee == to {
			return true
		}
	}
	return false
}

// Edges are all follows, follower by follower.
func (g *Graph) Edges() iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		for user := range uint32(g.Users()) { // users are counted in uint32 throughout
			for _, followee := range g.Followees(user) {
				if !yield(Edge{From: user, To: followee}) {
					return
				}
			}
		}
	}
}

// Followers counts the followers of each user.
func (g *Graph) Followers() []uint32 {
	counts := make([]uint32, g.Users())
	for _, followee := range g.followees {
		counts[followee]++
	}
	return counts
}
