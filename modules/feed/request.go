package feed

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Query is what a client asks for.
type Query struct {
	User    core.ID
	Algo    cursor.Algo
	Limit   int
	Cursor  string
	Explain bool // with every number behind a score
	Words   bool // in words, where the numbers are not for the client
}

// ServedFrom says where an answer came from.
type ServedFrom string

// The places that an answer comes from, best first.
const (
	FromCache      ServedFrom = "cache"
	FromClickHouse ServedFrom = "clickhouse"
	FromStale      ServedFrom = "stale"
	FromPostgres   ServedFrom = "postgres"
	FromTrending   ServedFrom = "trending"
)

// request is one request on its way through the stages. Its memory is used again.
type request struct {
	Query
	now     time.Time
	session cursor.Cursor // what the page continues; of a first page, what it begins
	ranking *rank.Versioned
	hot     *hot.Set // the replica's, or an excerpt in its place
	state   store.State
	entry   reserve.Entry
	places  []reserve.Place  // the order that a later page follows
	remade  bool             // the order was lost, and this request made it anew
	reserve *reserve.Reserve // what the viewer is to authors, and the candidates
	marks   viewerMarks
	viewer  filters.Viewer  // whom the filters ask
	kind    filters.Kind    // of a list that is ranked here
	listed  idset.Set       // posts on the list, where many are offered
	news    []reserve.Patch // what the replica heard of the viewer that the reserve may not know
	work    *work

	page       []int32 // indexes of work.posts
	timeline   bool    // the page is in the order of time
	next       *cursor.Cursor
	servedFrom ServedFrom
	degraded   bool
	reports    []SourceReport
	stages     []StageRecord // those that have ended
	computing  []StageRecord // of the computation that the reserve stage waited for
}

// serve answers one request; write must use the request before it returns.
func (f *Feed) serve(ctx context.Context, q Query, write func(*request) error) error {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Budget)
	defer cancel()
	r := f.take(q)
	defer f.give(r)

	stage := f.metrics.stage("hydrate", &r.stages)
	if err := f.resume(r); err != nil { // whose cursor, and does it still hold?
		return err
	}
	f.recall(ctx, r) // cache entry, seen and hidden posts, the session's order: one round trip
	stage = stage.next("reserve")
	if err := f.provide(ctx, r); err != nil { // fresh cache, else computed, else what is left: see fallback.go
		return err
	}

	stage = stage.next("page")
	switch {
	case r.timeline:
		f.timelinePage(ctx, r)
	case r.Cursor != "":
		if err := f.laterPage(ctx, r); err != nil {
			return err
		}
	default:
		f.firstPage(ctx, r)
	}
	stage = stage.next("encode")
	err := write(r)
	stage.end()
	f.settle(r) // side effects: after the answer is written
	return err
}

// resume checks the cursor, or begins a session.
func (f *Feed) resume(r *request) error {
	r.timeline = r.Algo == cursor.Timeline
	if r.Cursor == "" {
		r.session = cursor.Cursor{
			Algo: r.Algo, Session: rand.Uint64(), StartedAt: r.now, Ranking: r.ranking.Version, //nolint:gosec // names a session, keeps no secret
		}
		return nil
	}
	session, err := f.cursors.Decode(r.User, r.Cursor)
	if err != nil {
		return err
	}
	if r.timeline && session.Algo != cursor.Timeline {
		return core.InvalidField("cursor", "belongs to a session with another algo")
	}
	r.session = session
	r.ranking = f.ranking.At(session.Ranking)
	r.timeline = session.Algo.ByTime() // a ranked session that had to begin as a timeline goes on as one
	return nil
}

// firstPage ranks the reserve with the engagement of the moment.
func (f *Feed) firstPage(ctx context.Context, r *request) {
	f.rank(ctx, r)
	r.page = r.work.order[:min(r.Limit, len(r.work.order))]
	if len(r.work.order) > len(r.page) {
		f.continueAt(r, r.placesOf(r.page), len(r.page), nil)
	}
}

// rank puts what may be shown in order.
func (f *Feed) rank(ctx context.Context, r *request) {
	if r.hot.Useful() {
		f.candidates(r)
		f.newcomers(r)
		if len(r.work.posts) < r.Limit {
			f.fillUp(r)
		}
		r.work.score(&r.ranking.Config, r.now)
		r.work.diversify(r.ranking.Diversity)
	} else {
		f.coldPage(ctx, r)
	}
}

// continueAt has the session go on after some more posts, from a place of its order on, with the deferred ones first.
func (f *Feed) continueAt(r *request, given []reserve.Place, place int, deferred []int) {
	next := r.session
	if next.Tells() {
		for _, place := range given {
			next.Given = next.Given.Append(next.Session, place.Post)
		}
	}
	next.Shown += len(given)
	next.Place, next.Deferred = place, deferred
	r.next = &next
}

// placesOf is valid until it is called again.
func (r *request) placesOf(order []int32) []reserve.Place {
	w := r.work
	w.places = w.places[:0]
	for _, at := range order {
		w.places = append(w.places, reserve.Place{Post: w.posts[at].post, Source: w.posts[at].source})
	}
	return w.places
}

// settle carries out what the answer does not wait for.
func (f *Feed) settle(r *request) {
	f.metrics.requests.WithLabelValues(r.algoName(), string(r.servedFrom)).Inc()
	r.viewer.Count()
	if !r.timeline {
		f.served.Count(r.now, string(r.servedFrom))
		f.sampleOverlap(r)
	}
	if r.next == nil || r.timeline || r.Cursor != "" && !r.remade {
		return
	}
	order := r.places
	if r.Cursor == "" {
		order = r.placesOf(r.work.order[:min(len(r.work.order), f.cfg.ReserveSize)])
	}
	b := make([]byte, 0, 16+4*len(order)) // about what it takes; it is kept
	f.keepOrder(r.User, r.session.Session, reserve.AppendOrder(b, r.session.Session, order))
}

func (r *request) algoName() string {
	if r.timeline {
		return "timeline"
	}
	return "ranked"
}
