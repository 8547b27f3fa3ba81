package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

var (
	errFlightPanicked = errors.New("the computation panicked")
	errNotLoaded      = fmt.Errorf("compute a feed: %w", hot.ErrNotLoaded)
)

// computed is a reserve fresh from its sources. It is shared by all who waited for it: nobody
// changes it.
type computed struct {
	reserve *reserve.Reserve
	reports []SourceReport
	stages  []StageRecord
	hot     *hot.Set     // the one on demand that it was made of; nil: the replica's own
	found   found        // marks of the viewer that Redis had lost
	lease   store.Lease  // the right to save it; none where somebody else has it, or Redis is away
	cached  bool         // another replica computed and saved it
	state   store.State  // as it was read together with the other replica's entry
	trace   *computation // what why-not looks at
}

// partial tells whether something failed and was left out.
func (c *computed) partial() bool {
	return slices.ContainsFunc(c.reports, func(r SourceReport) bool { return r.Err != nil })
}

// computation is a viewer's reserve while it is made: what the stages, the sources and the filters know.
type computation struct {
	id         core.ID
	now        time.Time
	ranking    *rank.Versioned
	graph      graphReader
	hot        *hot.Set
	reserve    *reserve.Reserve // its Authors; the candidates come last
	state      store.State      // what Redis knows
	seenHidden *seenHidden
	filters    filters.Viewer
	found      found
	reports    []SourceReport
	fetched    []fetched // by source
	merged     []merged
	traced     bool
	order      []core.ID // before the cut, where it is traced
}

// compute makes a viewer's reserve: see computeStages. Where the authors come from, and with them what is known of
// affinity, is up to graph.
func (f *Feed) compute(
	ctx context.Context, id core.ID, state store.State, ranking *rank.Versioned, graph graphReader,
) (*computed, error) {
	return f.computeTraced(ctx, id, state, ranking, graph, false)
}

func (f *Feed) computeTraced(
	ctx context.Context, id core.ID, state store.State, ranking *rank.Versioned, graph graphReader, traced bool,
) (*computed, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ComputeBudget)
	defer cancel()
	now := f.clock.Now()
	c := &computation{
		id: id, now: now, ranking: ranking, graph: graph, hot: f.hot, state: state, seenHidden: &seenHidden{},
		traced:  traced,
		reserve: &reserve.Reserve{BuiltAt: now.Truncate(time.Millisecond), Ranking: ranking.Version},
	}
	c.seenHidden.read(state, f.cfg.Store, now, now.Add(time.Hour))
	c.filters = filters.Viewer{
		Seen: &c.seenHidden.seen, Hidden: &c.seenHidden.hidden, SeenFor: f.cfg.Store.SeenFor, Absent: f.absent,
	}
	c.filters.Begin(f.filters, id)

	stages := make([]StageRecord, 0, len(computeStages))
	if err := runStages(ctx, f, computeStages, c, &stages); err != nil {
		return nil, err
	}
	result := &computed{reserve: c.reserve, reports: c.reports, stages: stages, found: c.found}
	if c.hot != f.hot {
		result.hot = c.hot
	}
	if traced {
		result.trace = c
	}
	return result, nil
}

func (f *Feed) readGraph(ctx context.Context, c *computation) (err error) {
	c.reports, err = c.graph(ctx, c)
	return err
}

func (f *Feed) askSources(ctx context.Context, c *computation) error {
	f.gather(ctx, c, f.sources())
	return nil
}

// mergeSources puts each post in once, and popular ones where these are few.
func (f *Feed) mergeSources(ctx context.Context, c *computation) error {
	c.merged = merge(c.reserve, c.fetched)
	if missing := f.cfg.Sources.Popular.Limit - len(c.merged); missing > 0 {
		f.gather(ctx, c, []source{f.filler()})
		popular := &c.fetched[len(c.fetched)-1]
		popular.posts = popular.posts[:min(missing, len(popular.posts))]
		c.merged = merge(c.reserve, c.fetched)
	}
	return nil
}

// rankComputed makes the best posts the reserve's candidates.
func (f *Feed) rankComputed(_ context.Context, c *computation) error {
	w := f.takeWork()
	defer f.works.Put(w)
	w.fill(c.reserve, c.merged)
	w.score(&c.ranking.Config, c.now)
	w.diversify(c.ranking.Diversity)
	w.cut(f.cfg.ReserveSize, c.reserve)
	if c.traced {
		c.order = w.ids()
	}
	return nil
}

// merged is a post once, with every source that offered it.
type merged struct {
	post   hot.Post
	author int32
	source reserve.Source
}

// merge puts each post in once and makes sure that every author is among the reserve's.
func merge(r *reserve.Reserve, all []fetched) []merged {
	n := 0
	for _, one := range all {
		n += len(one.posts)
	}
	posts, places := make([]merged, 0, n), make(map[core.ID]int32, n)
	for _, one := range all {
		for _, p := range one.posts {
			if at, ok := places[p.ID]; ok {
				posts[at].source |= one.source.bit
				continue
			}
			places[p.ID] = int32(len(posts)) //nolint:gosec // at most a few thousand
			posts = append(posts, merged{post: p, source: one.source.bit})
		}
	}
	addAuthors(r, posts)
	for i := range posts {
		at, _ := r.Find(posts[i].post.Author)
		posts[i].author = int32(at) //nolint:gosec // as above
	}
	return posts
}

func addAuthors(r *reserve.Reserve, posts []merged) {
	known := len(r.Authors)
	for i := range posts {
		id := posts[i].post.Author
		if _, ok := slices.BinarySearchFunc(r.Authors[:known], id, byID); !ok {
			r.Authors = append(r.Authors, reserve.Author{ID: id})
		}
	}
	r.Authors = normalize(r.Authors)
}

func byID(a reserve.Author, id core.ID) int { return cmp.Compare(a.ID, id) }

// normalize sorts authors by id and puts what is said of one author together.
func normalize(authors []reserve.Author) []reserve.Author {
	slices.SortStableFunc(authors, func(a, b reserve.Author) int { return cmp.Compare(a.ID, b.ID) })
	out := authors[:0]
	for _, a := range authors {
		if n := len(out); n > 0 && out[n-1].ID == a.ID {
			out[n-1].Relation |= a.Relation
			out[n-1].Interactions += a.Interactions
			continue
		}
		if a.ID.Valid() {
			out = append(out, a)
		}
	}
	for i := range out {
		if out[i].Relation&reserve.Follows != 0 { // of several rows, one that stands is enough
			out[i].Relation &^= reserve.Unfollowed
		}
	}
	return out
}

// graphReader reads what a viewer is to authors, into the viewer's reserve. What it reports as failed is missing there.
type graphReader func(ctx context.Context, v *computation) ([]SourceReport, error)

// fromClickHouse reads the graph with two point reads at once. The graph must be there: without it, nobody
// knows whom the viewer blocks. Affinity may be missing. A third one finds what Redis has lost. All that a
// computation asks is one call for the guard: under load some begin, and end, and the others wait; else all
// would begin, and hardly one would get the last of its answers.
func (f *Feed) fromClickHouse(ctx context.Context, v *computation) ([]SourceReport, error) {
	var (
		edges                     []reserve.Author
		interactions              graph.Interactions
		edgesErr, interactionsErr error
		marks                     []SourceReport
		asked                     bool
	)
	err := f.guards.ClickHouse.Do(ctx, func(ctx context.Context) error {
		asked = true
		var wg sync.WaitGroup
		wg.Go(func() { edges, edgesErr = f.graph.Edges(ctx, v.id) })
		wg.Go(func() { interactions, interactionsErr = f.graph.Affinity(ctx, v.id, v.ranking.Affinity) })
		wg.Wait()
		if edgesErr != nil || interactionsErr != nil || !f.lost(v, &interactions) {
			return cmp.Or(edgesErr, interactionsErr)
		}
		marks = []SourceReport{f.find(ctx, v, &interactions)}
		return marks[0].Err
	})
	if !asked || edgesErr != nil {
		return nil, err
	}
	reports := append([]SourceReport{{Name: "graph", Posts: len(edges)}}, marks...)
	if interactionsErr != nil {
		f.metrics.sourceFailures.WithLabelValues("affinity_read").Inc()
		reports = append(reports, SourceReport{Name: "affinity_read", Err: interactionsErr})
		interactions = graph.Interactions{}
		v.found.unsure = len(v.state.Hidden) == 0
	}
	v.reserve.Authors = normalize(append(edges, interactions.Authors...))
	if reason := f.unavailable(); reason != nil {
		reports = append(reports, SourceReport{Name: "hot set", Err: reason})
		set, err := f.onDemand(ctx, &v.filters, v.reserve.Authors, nil)
		switch {
		case err == nil:
			v.hot = set
		case !f.hot.Useful():
			return nil, err
		}
	}
	return reports, nil
}

// fromPostgres does without ClickHouse: the graph from the app's database, and affinity as the
// last cached reserve has it.
func (f *Feed) fromPostgres(cached []reserve.Author) graphReader {
	return func(ctx context.Context, v *computation) ([]SourceReport, error) {
		if !f.hot.Useful() {
			return nil, errNotLoaded
		}
		var edges []reserve.Author
		err := f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
			edges, err = f.fallback.Edges(ctx, v.id)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, a := range cached {
			if a.Interactions != 0 {
				edges = append(edges, reserve.Author{
					ID: a.ID, Relation: a.Relation & reserve.Unfollowed,
					Interactions: a.Interactions,
				})
			}
		}
		v.reserve.Authors = normalize(edges)
		return []SourceReport{{Name: "graph", Posts: len(edges)}}, nil
	}
}
