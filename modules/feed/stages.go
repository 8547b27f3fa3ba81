package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// stage is a step on the way of T that has a name: its time is observed by that name in feedrank_feed_stage_seconds.
// A stage that fails ends the way.
type stage[T any] struct {
	name string
	run  func(f *Feed, ctx context.Context, on T) error
}

// feedStages are GET /feed, top to bottom.
var feedStages = []stage[*request]{
	{"hydrate", (*Feed).hydrate}, // the cursor; entry, seen and hidden posts, the session's order: one round trip
	{"reserve", (*Feed).resolve}, // a fresh entry, else a computation, else what is left: resolve.go has the order
	{"page", (*Feed).makePage},   // one of the pages below
	{"encode", (*Feed).encode},   // the answer is written
	{"settle", (*Feed).settle},   // what the answer does not wait for
}

// makePage makes the page that was asked for.
func (f *Feed) makePage(ctx context.Context, r *request) error {
	switch {
	case r.timeline:
		return f.timelinePage(ctx, r)
	case r.Cursor != "":
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
	r.page = r.work.order[:min(r.Limit, len(r.work.order))]
	if len(r.work.order) > len(r.page) {
		f.continueAt(r, r.placesOf(r.page), len(r.page), nil)
	}
	return nil
}

// rankedStages put in order what may be shown of a reserve, with the engagement of the moment. The filters are asked
// about whatever comes in.
var rankedStages = []stage[*request]{
	{"candidates", (*Feed).stillVisible},      // the reserve's posts
	{"arrivals", (*Feed).arrivals},            // what came in since from authors whom the viewer follows or cares for
	{"new_candidates", (*Feed).newCandidates}, // what has begun to trend since
	{"backfill", (*Feed).backfill},            // where these are too few for a page
	{"score", (*Feed).score},                  // freshness, engagement, affinity
	{"diversify", (*Feed).diversify},          // the rules of variety
}

// unrankedStages do so without a hot set: there is no engagement to score with, so the reserve keeps its order.
var unrankedStages = []stage[*request]{
	{"candidates", (*Feed).inReserveOrder},
	{"visible", (*Feed).visibleByPostgres},
}

// rank puts what may be shown in order.
func (f *Feed) rank(ctx context.Context, r *request) error {
	if r.hot.Useful() {
		return runStages(ctx, f, rankedStages, r, nil)
	}
	return runStages(ctx, f, unrankedStages, r, nil)
}

// trendingStages are GET /feed/trending: the reserve tells the filters whom the viewer blocks and mutes.
var trendingStages = []stage[*request]{
	{"hydrate", (*Feed).hydrate},
	{"reserve", (*Feed).resolve},
	{"page", (*Feed).trendingPage},
	{"encode", (*Feed).encode},
}

// newPostsStages are GET /feed?since=: no page is made.
var newPostsStages = []stage[*request]{
	{"hydrate", (*Feed).hydrate},
	{"reserve", (*Feed).resolve},
	{"page", (*Feed).countNewPosts},
	{"encode", (*Feed).encode},
}

// computeStages make a reserve, for "reserve" above where there is no entry.
var computeStages = []stage[*computation]{
	{"hydrate", (*Feed).readGraph},  // whom the viewer follows, blocks, mutes and cares for
	{"sources", (*Feed).askSources}, // see sources.go
	{"merge", (*Feed).mergeSources}, // each post once; popular ones where these are few
	{"rank", (*Feed).rankComputed},  // score, diversify; the best are the reserve
}

// serve answers one request; write must use the request before it returns.
func (f *Feed) serve(ctx context.Context, stages []stage[*request], q Query, write func(*request) error) error {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Budget)
	defer cancel()
	r := f.take(q)
	defer f.give(r)
	r.write = write
	if err := runStages(ctx, f, stages, r, &r.stages); err != nil {
		return err
	}
	return r.writeErr
}

// encode writes the answer. Where the client is gone, what follows is done all the same.
func (f *Feed) encode(_ context.Context, r *request) error {
	r.writeErr = r.write(r)
	return nil
}

// hydrate is all that is read for a request of its viewer and session.
func (f *Feed) hydrate(ctx context.Context, r *request) error {
	if err := f.resume(r); err != nil { // whose cursor, and does it still hold?
		return err
	}
	f.loadViewer(ctx, r)
	return nil
}

// runStages goes through stages, and records those that have ended.
func runStages[T any](ctx context.Context, f *Feed, stages []stage[T], on T, records *[]StageRecord) error {
	began := time.Now()
	for i := range stages {
		if err := stages[i].run(f, ctx, on); err != nil {
			return err
		}
		now := time.Now()
		f.metrics.stages[stages[i].name].Observe(now.Sub(began).Seconds())
		if records != nil {
			*records = append(*records, StageRecord{stages[i].name, now.Sub(began)})
		}
		began = now
	}
	return nil
}

// StageRecord is what an explained answer says of a stage.
type StageRecord struct {
	Name string
	Took time.Duration
}

// score puts the list in the order of the scores.
func (f *Feed) score(_ context.Context, r *request) error {
	r.work.score(&r.ranking.Config, r.now)
	return nil
}

// diversify reorders it by the rules of variety.
func (f *Feed) diversify(_ context.Context, r *request) error {
	r.work.diversify(r.ranking.Diversity)
	return nil
}

// settle carries out what the answer does not wait for.
func (f *Feed) settle(_ context.Context, r *request) error {
	f.metrics.requests.WithLabelValues(r.algoName(), string(r.servedFrom)).Inc()
	r.viewer.Count()
	if !r.timeline {
		f.served.Count(r.now, string(r.servedFrom))
		f.sampleOverlap(r)
	}
	if r.next == nil || r.timeline || r.Cursor != "" && !r.remade {
		return nil
	}
	order := r.places
	if r.Cursor == "" {
		order = r.placesOf(r.work.order[:min(len(r.work.order), f.cfg.ReserveSize)])
	}
	b := make([]byte, 0, 16+4*len(order)) // about what it takes; it is kept
	f.keepOrder(r.User, r.session.Session, reserve.AppendOrder(b, r.session.Session, order))
	return nil
}
