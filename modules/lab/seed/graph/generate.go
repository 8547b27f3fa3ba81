package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

// The shape of a generated graph. How many a user follows is log-normal: with 50 on average a few of
// 100,000 users follow thousands. How often a user is followed falls with their rank, as in real
// networks (Zipf): the first are followed by nearly everybody.
const (
	outSigma    = 1.2
	zipfOffset  = 2.0
	muteEvery   = 100 // a mute for so many follows
	drawsPerRow = 12  // attempts to draw somebody new, for each follow, before taking the next at hand
)

// Generate makes a graph of so many users and follows. The same seed makes the same graph.
func Generate(seed uint64, users, follows int) (*Graph, error) {
	if users < 2 || users > math.MaxInt32 || follows < 0 || follows > users*(users-1) || follows > math.MaxUint32 {
		return nil, fmt.Errorf("a graph of %d users and %d follows: want at least 2 users, and at most users · (users - 1) follows", users, follows)
	}
	g := &Graph{starts: make([]uint32, users+1), followees: make([]uint32, 0, follows)}
	degrees := degrees(seed, users, follows)
	popular := popularity(seed, users)
	drawnBy := make([]uint32, users) // who drew a user last, plus one
	for u := range uint32(users) {
		rng := random.New(seed, "follows", uint64(u))
		drawnBy[u] = u + 1 // nobody follows themselves
		missing := degrees[u]
		// Drawn by popularity, so that the first are whom the user cares for most.
		for try := 0; missing > 0 && try < drawsPerRow*degrees[u]; try++ {
			if followee := popular.Draw(rng); drawnBy[followee] != u+1 {
				drawnBy[followee] = u + 1
				g.followees = append(g.followees, followee)
				missing--
			}
		}
		// Who follows nearly everybody: take the rest in turn.
		for followee := rng.Uint32N(uint32(users)); missing > 0; followee = (followee + 1) % uint32(users) {
			if drawnBy[followee] != u+1 {
				drawnBy[followee] = u + 1
				g.followees = append(g.followees, followee)
				missing--
			}
		}
		g.starts[u+1] = uint32(len(g.followees))
	}
	g.Mutes = mutes(seed, g)
	return g, nil
}

// popularity draws users by how popular they are. Who is popular has nothing to do with their number.
func popularity(seed uint64, users int) *random.Table {
	weights := make([]float64, users)
	for rank, user := range random.New(seed, "popularity", 0).Perm(users) {
		weights[user] = 1 / (float64(rank) + zipfOffset)
	}
	return random.NewTable(weights)
}

// degrees shares the follows out: log-normal, at most everybody else, and exactly as many as asked.
func degrees(seed uint64, users, follows int) []int {
	rng := random.New(seed, "degrees", 0)
	weights := make([]float64, users)
	sum := 0.0
	for u := range weights {
		weights[u] = random.LogNormal(rng, outSigma)
		sum += weights[u]
	}
	degrees := make([]int, users)
	given, share := 0, 0.0
	for u, w := range weights {
		share += w
		upTo := int(math.Round(share / sum * float64(follows)))
		degrees[u] = min(max(0, upTo-given), users-1)
		given += degrees[u]
	}
	for u := 0; given < follows; u = (u + 1) % users { // what was above a maximum
		if degrees[u] < users-1 {
			degrees[u]++
			given++
		}
	}
	return degrees
}

// mutes lets some users mute somebody they do not follow.
func mutes(seed uint64, g *Graph) []Edge {
	rng := random.New(seed, "mutes", 0)
	users := uint32(g.Users())
	wanted := g.Follows() / muteEvery
	var edges []Edge
	for range wanted {
		e := Edge{From: rng.Uint32N(users), To: rng.Uint32N(users)}
		if e.From != e.To && !g.Has(e.From, e.To) {
			edges = append(edges, e)
		}
	}
	slices.SortFunc(edges, compare)
	return slices.Compact(edges)
}

func compare(a, b Edge) int {
	if a.From != b.From {
		return int(int64(a.From) - int64(b.From))
	}
	return int(int64(a.To) - int64(b.To))
}
