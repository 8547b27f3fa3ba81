package world

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/graph"
	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

// World is everything but the events, which are made as they are asked for. Users and posts are
// numbered from 0 here; their ids are one more.
type World struct {
	opts    Options
	start   time.Time
	graph   *graph.Graph
	posts   posts
	blocks  []graph.Edge
	barred  map[graph.Edge]struct{} // blocks in both directions, and mutes: who sees nothing of whom
	viewers *random.Table           // by how often they look at their feeds
	stars   *random.Table           // by how many follow them
}

// New makes a world.
func New(opts Options) (*World, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts.Now = opts.Now.UTC().Truncate(time.Second)
	g, err := follows(opts)
	if err != nil {
		return nil, err
	}
	w := &World{opts: opts, start: opts.Now.Add(-opts.Window), graph: g}
	followers := g.Followers()
	w.posts = makePosts(opts, w.start, authorTable(opts.Seed, followers))
	w.viewers = viewerTable(opts.Seed, g)
	stars := make([]float64, len(followers))
	for u, n := range followers {
		stars[u] = float64(n)
	}
	w.stars = random.NewTable(stars)
	w.blocks = makeBlocks(opts, g)
	w.barred = make(map[graph.Edge]struct{}, 2*len(w.blocks)+len(g.Mutes))
	for _, e := range w.blocks {
		w.barred[e] = struct{}{}
		w.barred[graph.Edge{From: e.To, To: e.From}] = struct{}{}
	}
	for _, e := range g.Mutes {
		w.barred[e] = struct{}{}
	}
	return w, nil
}

func follows(opts Options) (*graph.Graph, error) {
	if opts.Users == 0 {
		return graph.Real(opts.Seed)
	}
	g, err := graph.Generate(opts.Seed, opts.Users, opts.follows())
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	return g, nil
}

// authorTable draws authors: a few write most of it, who is followed writes more, and nobody writes
// for no one.
func authorTable(seed uint64, followers []uint32) *random.Table {
	rng := random.New(seed, "authors", 0)
	weights := make([]float64, len(followers))
	for u, n := range followers {
		weights[u] = random.LogNormal(rng, 1.2) * math.Pow(float64(n), 0.7)
	}
	return random.NewTable(weights)
}

// viewerTable draws viewers: some look at their feed all day, and hardly anybody who follows nobody.
func viewerTable(seed uint64, g *graph.Graph) *random.Table {
	rng := random.New(seed, "viewers", 0)
	weights := make([]float64, g.Users())
	for u := range weights {
		weights[u] = random.LogNormal(rng, 1.2)
		if len(g.Followees(uint32(u))) == 0 {
			weights[u] /= 100
		}
	}
	return random.NewTable(weights)
}

// makeBlocks lets users block somebody; neither follows the other any more, so only pairs of
// strangers are taken.
func makeBlocks(opts Options, g *graph.Graph) []graph.Edge {
	rng := random.New(opts.Seed, "blocks", 0)
	users := uint32(g.Users())
	taken := make(map[graph.Edge]struct{}, opts.Blocks)
	edges := make([]graph.Edge, 0, opts.Blocks)
	for try := 0; len(edges) < opts.Blocks && try < 20*opts.Blocks; try++ {
		e := graph.Edge{From: rng.Uint32N(users), To: rng.Uint32N(users)}
		if _, again := taken[e]; again || e.From == e.To || g.Has(e.From, e.To) || g.Has(e.To, e.From) {
			continue
		}
		taken[e] = struct{}{}
		edges = append(edges, e)
	}
	return edges
}

// Options are what the world was made from.
func (w *World) Options() Options { return w.opts }

// Users are all users.
func (w *World) Users() iter.Seq[User] {
	return func(yield func(User) bool) {
		for u := range uint32(w.graph.Users()) {
			rng := random.New(w.opts.Seed, "users", uint64(u))
			if !yield(User{ID: userID(u), Name: handle(rng, u), CreatedAt: w.longAgo(rng)}) {
				return
			}
		}
	}
}

// Follows are all follows, follower by follower.
func (w *World) Follows() iter.Seq[Pair] { return w.pairs("follows at", w.graph.Edges()) }

// Mutes are all mutes.
func (w *World) Mutes() iter.Seq[Pair] { return w.pairs("mutes at", each(w.graph.Mutes)) }

// Blocks are all blocks.
func (w *World) Blocks() iter.Seq[Pair] { return w.pairs("blocks at", each(w.blocks)) }

// Count tells how many of each there are. Of events it is how many were asked for.
func (w *World) Count() Count {
	return Count{
		Users: w.graph.Users(), Follows: w.graph.Follows(), Mutes: len(w.graph.Mutes), Blocks: len(w.blocks),
		Posts: len(w.posts.author), Events: w.opts.Events,
	}
}

func (w *World) pairs(purpose string, edges iter.Seq[graph.Edge]) iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		rng := random.New(w.opts.Seed, purpose, 0)
		for e := range edges {
			if !yield(Pair{From: userID(e.From), To: userID(e.To), CreatedAt: w.longAgo(rng)}) {
				return
			}
		}
	}
}

// longAgo is a time in the two years before the window.
func (w *World) longAgo(rng *rand.Rand) time.Time {
	const years = 2 * 365 * 24 * 60 * 60
	return w.start.Add(-time.Duration(rng.Int64N(years)) * time.Second)
}

func each(edges []graph.Edge) iter.Seq[graph.Edge] {
	return func(yield func(graph.Edge) bool) {
		for _, e := range edges {
			if !yield(e) {
				return
			}
		}
	}
}

func userID(u uint32) core.ID { return core.ID(u) + 1 }
