package candidates

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
)

// way is a computation as a list of named stages.
func (b *Builder) way(seconds *stages.Seconds) *stages.Way[*computation] {
	return stages.NewWay[*computation](seconds).
		Then("hydrate", readGraph).    // whom the viewer follows, blocks, mutes and cares for: see graph.go
		Then("sources", b.askSources). // see sources.go
		Then("merge", b.mergeSources). // each post once; popular ones where these are few
		Then("rank", b.rank)           // score, diversify; the best are the reserve
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
	seenHidden *viewer.SeenHidden
	filters    filters.Viewer
	found      viewer.Found
	reports    []stages.Report
	fetched    []fetched // by source
	merged     []merged
	traced     bool
	order      []core.ID // before the cut, where it is traced
}

// compute makes a viewer's reserve. Where the authors come from, and with them what is known of
// affinity, is up to graph.
func (b *Builder) compute(
	ctx context.Context, id core.ID, state store.State, ranking *rank.Versioned, graph graphReader, traced bool,
) (*Built, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Budget)
	defer cancel()
	now := b.clock.Now()
	c := &computation{
		id: id, now: now, ranking: ranking, graph: graph, hot: b.hot, state: state, seenHidden: &viewer.SeenHidden{},
		traced:  traced,
		reserve: &reserve.Reserve{BuiltAt: now.Truncate(time.Millisecond), Ranking: ranking.Version},
	}
	c.seenHidden.Read(state, b.cfg.Store, now, now.Add(time.Hour))
	c.filters = filters.Viewer{
		Seen: &c.seenHidden.Seen, Hidden: &c.seenHidden.Hidden, SeenFor: b.cfg.Store.SeenFor,
		Sets: b.people, Until: now.Add(b.cfg.Ahead).UnixMicro(), Labels: b.cfg.Labels,
	}
	c.filters.Begin(b.filters, id)

	var records []stages.Record
	if err := b.stages.Run(ctx, c, &records); err != nil {
		return nil, err
	}
	built := &Built{Reserve: c.reserve, Reports: c.reports, Stages: records, Found: c.found, Order: c.order}
	if c.hot != b.hot {
		built.Hot = c.hot
	}
	return built, nil
}

// rank makes the best posts the reserve's candidates.
func (b *Builder) rank(_ context.Context, c *computation) error {
	list, _ := b.lists.Get().(*shortlist.List)
	defer b.lists.Put(list)
	list.Reset(len(c.reserve.Authors))
	for i := range c.merged {
		m := &c.merged[i]
		list.Append(&m.post, m.source, c.reserve.Authors[m.author], m.author)
	}
	list.Score(&c.ranking.Config, c.now)
	// Places are kept in the reserve, too: else what is to stand there is not among the best.
	list.MarkQuiet(c.ranking.Diversity, c.hot, c.now.Add(-b.cfg.Window).UnixMicro(), c.reserve)
	list.Diversify(c.ranking.Diversity)
	best := list.Order[:min(b.cfg.Size, len(list.Order))]
	c.reserve.Candidates = make([]reserve.Candidate, 0, len(best))
	for _, i := range best {
		p := &list.Posts[i]
		c.reserve.Candidates = append(c.reserve.Candidates, reserve.Candidate{
			Post: p.ID, Author: p.AuthorAt, Source: p.Source,
			Created: p.Created,
		})
	}
	if c.traced {
		c.order = list.IDs()
	}
	return nil
}
