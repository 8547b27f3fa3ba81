package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

// ways are the requests, each as a list of named stages, top to bottom.
type ways struct {
	feed, ranked, unranked, trending, newPosts, newPostsAgain, preview, trends *stages.Way[*request]
}

func (f *Feed) newWays(seconds *stages.Seconds) ways {
	way := func() *stages.Way[*request] { return stages.NewWay[*request](seconds) }
	return ways{
		// GET /feed
		feed: way().
			Then("hydrate", f.hydrate). // the cursor; entry, seen and hidden posts, the session's order: one round trip
			Then("reserve", f.resolve). // a fresh entry, else a computation, else what is left: resolve.go has it
			Then("page", f.makePage).   // one of the pages below
			Then("encode", f.encode).   // the answer is written
			Then("settle", f.settle),   // what the answer does not wait for

		// What may be shown of a reserve is put in order, with the engagement of the moment. The filters are asked
		// about whatever comes in.
		ranked: way().
			Then("candidates", f.stillVisible).      // the reserve's posts
			Then("arrivals", f.arrivals).            // what came in since from authors who are followed or cared for
			Then("new_candidates", f.newCandidates). // what has begun to trend since
			Then("backfill", f.backfill).            // where these are too few for a page
			Then("score", score).                    // freshness, engagement, affinity
			Then("diversify", f.diversify),          // the rules of variety

		// So it is without a hot set: there is no engagement to score with, so the reserve keeps its order.
		unranked: way().
			Then("candidates", inReserveOrder).
			Then("visible", f.visibleByPostgres),

		// GET /feed/trending: the reserve tells the filters whom the viewer blocks and mutes.
		trending: way().
			Then("hydrate", f.hydrate).
			Then("reserve", f.resolve).
			Then("page", f.trendingPage).
			Then("encode", f.encode),

		// GET /feed?since=: no page is made.
		newPosts: way().
			Then("hydrate", f.hydrate).
			Then("reserve", f.resolve).
			Then("page", f.countNewPosts).
			Then("encode", f.encode),

		// The same for a stream of GET /feed/updates that is open: no reserve is computed.
		newPostsAgain: way().
			Then("hydrate", f.hydrate).
			Then("reserve", f.resolveAgain).
			Then("page", f.countNewPosts),

		// GET /admin/v1/feed: as GET /feed, without what counts a page.
		preview: way().
			Then("hydrate", f.hydrate).
			Then("reserve", f.resolve).
			Then("page", f.makePage).
			Then("encode", f.encode).
			Then("settle", f.keepSession),

		// GET /admin/v1/feed/trending: the list before it is anybody's.
		trends: way().
			Then("reserve", f.ofNobody).
			Then("page", f.trendingPage).
			Then("encode", f.encode),
	}
}

// Page answers with a page of a ranked feed or of a timeline. write must use it before it returns.
func (f *Feed) Page(ctx context.Context, q Query, write func(*page.Page) error) error {
	return f.serve(ctx, f.ways.feed, q, write)
}

// Trending answers with the trending posts of a window, as Page does.
func (f *Feed) Trending(ctx context.Context, q Query, write func(*page.Page) error) error {
	return f.serve(ctx, f.ways.trending, q, write)
}

// CountNew answers with the number of new posts, and no items, as Page does.
func (f *Feed) CountNew(ctx context.Context, q Query, write func(*page.Page) error) error {
	return f.serve(ctx, f.ways.newPosts, q, write)
}

func (f *Feed) serve(ctx context.Context, way *stages.Way[*request], q Query, write func(*page.Page) error) error {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Budget)
	defer cancel()
	r := f.take(q)
	defer f.give(r)
	r.write = write
	if err := way.Run(ctx, r, &r.Stages); err != nil {
		return err
	}
	return r.writeErr
}

// makePage makes the page that was asked for.
func (f *Feed) makePage(ctx context.Context, r *request) error {
	switch {
	case r.ByTime:
		return f.timelinePage(ctx, r)
	case r.Later:
		return f.laterPage(ctx, r) // goes on in the order of the first page
	}
	return f.firstPage(ctx, r)
}

// firstPage begins a session: it is cut from an order that later pages follow.
func (f *Feed) firstPage(ctx context.Context, r *request) error {
	err := f.rank(ctx, r)
	if err != nil {
		return err
	}
	order := r.list.Order
	r.show(order[:min(r.Limit, len(order))])
	if len(order) > len(r.Items) {
		r.continueAt(r.placesOf(order[:len(r.Items)]), len(r.Items), nil)
	}
	return nil
}

// rank puts what may be shown in order.
func (f *Feed) rank(ctx context.Context, r *request) error {
	if r.hot.Useful() {
		return f.ways.ranked.Run(ctx, r, nil)
	}
	return f.ways.unranked.Run(ctx, r, nil)
}
