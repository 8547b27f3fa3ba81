package candidates

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

var errNotLoaded = fmt.Errorf("compute a feed: %w", hot.ErrNotLoaded)

// graphReader reads what a viewer is to authors, into the viewer's reserve. What it reports as failed is missing there.
type graphReader func(ctx context.Context, c *computation) ([]stages.Report, error)

func readGraph(ctx context.Context, c *computation) (err error) {
	c.reports, err = c.graph(ctx, c)
	return err
}

// fromClickHouse reads the graph with two point reads at once. The graph must be there: without it, nobody
// knows whom the viewer blocks. Affinity may be missing. A third one finds what Redis has lost. All that a
// computation asks is one call for the guard: under load some begin, and end, and the others wait; else all
// would begin, and hardly one would get the last of its answers.
func (b *Builder) fromClickHouse(ctx context.Context, c *computation) ([]stages.Report, error) {
	var (
		edges                     []reserve.Author
		ends                      []reserve.End
		interactions              graph.Interactions
		edgesErr, interactionsErr error
		marks                     []stages.Report
		asked                     bool
	)
	err := b.guards.ClickHouse.Do(ctx, func(ctx context.Context) error {
		asked = true
		var wg sync.WaitGroup
		wg.Go(func() { edges, ends, edgesErr = b.graph.Edges(ctx, c.id) })
		wg.Go(func() { interactions, interactionsErr = b.graph.Affinity(ctx, c.id, c.ranking.Affinity) })
		wg.Wait()
		if edgesErr != nil || interactionsErr != nil || !b.lost(c, &interactions) {
			return cmp.Or(edgesErr, interactionsErr)
		}
		marks = []stages.Report{b.find(ctx, c, &interactions)}
		return marks[0].Err
	})
	if !asked || edgesErr != nil {
		return nil, err
	}
	reports := append([]stages.Report{{Name: "graph", Posts: len(edges)}}, marks...)
	if interactionsErr != nil {
		b.metrics.SourceFailures.WithLabelValues("affinity_read").Inc()
		reports = append(reports, stages.Report{Name: "affinity_read", Err: interactionsErr})
		interactions = graph.Interactions{}
		c.found.Unsure = len(c.state.Hidden) == 0
	}
	edges, c.reserve.Ends = reserve.Without(edges, ends, c.now)
	edges, c.reserve.Hidden = reserve.Split(edges)
	c.reserve.Authors = normalize(append(edges, interactions.Authors...))
	if reason := b.onDemand.Unavailable(); reason != nil {
		reports = append(reports, stages.Report{Name: "hot set", Err: reason})
		set, err := b.onDemand.Set(ctx, &c.filters, c.reserve.Authors, nil)
		switch {
		case err == nil:
			c.hot = set
		case !b.hot.Useful():
			return nil, err
		}
	}
	return reports, nil
}

// fromPostgres does without ClickHouse: the graph from the app's database, and no affinity.
func (b *Builder) fromPostgres(ctx context.Context, c *computation) ([]stages.Report, error) {
	if !b.hot.Useful() {
		return nil, errNotLoaded
	}
	var edges []reserve.Author
	err := b.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		edges, err = b.fallback.Edges(ctx, c.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	edges, c.reserve.Hidden = reserve.Split(edges)
	c.reserve.Authors = normalize(edges)
	return []stages.Report{{Name: "graph", Posts: len(edges)}}, nil
}
