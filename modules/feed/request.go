package feed

import (
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
	Explain bool      // with every number behind a score
	Words   bool      // in words, where the numbers are not for the client
	Window  string    // of the trending posts that are asked for
	Since   time.Time // new posts since then are to be counted
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
	now        time.Time
	session    cursor.Cursor // what the page continues; of a first page, what it begins
	ranking    *rank.Versioned
	hot        *hot.Set // the replica's, or one on demand in its place
	state      store.State
	entry      reserve.Entry
	places     []reserve.Place  // the order that a later page follows
	remade     bool             // the order was lost, and this request made it anew
	reserve    *reserve.Reserve // what the viewer is to authors, and the candidates
	seenHidden seenHidden
	viewer     filters.Viewer  // whom the filters ask
	kind       filters.Kind    // of a list that is ranked here
	listed     idset.Set       // posts on the list, where many are offered
	news       []reserve.Patch // what the replica heard of the viewer that the reserve may not know
	work       *work

	page       []int32 // indexes of work.posts
	timeline   bool    // the page is in the order of time
	next       *cursor.Cursor
	newPosts   int // since Query.Since
	servedFrom ServedFrom
	degraded   bool
	reports    []SourceReport
	stages     []StageRecord        // those that have ended
	write      func(*request) error // the answer
	writeErr   error
	computing  []StageRecord // of the computation that the reserve stage waited for
}

func (r *request) algoName() string {
	if r.timeline {
		return "timeline"
	}
	return "ranked"
}

func (f *Feed) take(q Query) *request {
	r, _ := f.requests.Get().(*request)
	if r.work == nil {
		r.work = newWork()
	}
	*r = request{
		Query: q, now: f.clock.Now(), ranking: f.ranking.Get(), hot: f.hot,
		entry: r.entry, places: r.places[:0], seenHidden: r.seenHidden, viewer: r.viewer, listed: r.listed,
		work:    r.work,
		reports: r.reports[:0], stages: r.stages[:0], news: r.news[:0],
	}
	r.viewer.Seen, r.viewer.Hidden, r.viewer.SeenFor = &r.seenHidden.seen, &r.seenHidden.hidden, f.cfg.Store.SeenFor
	r.viewer.Absent = f.absent
	r.viewer.Begin(f.filters, q.User)
	r.entry.Forget()
	r.work.reset(0)
	return r
}

// give lets go of what others own before the request's memory is used again.
func (f *Feed) give(r *request) {
	r.state, r.reserve, r.ranking, r.hot, r.write = store.State{}, nil, nil, nil, nil
	f.requests.Put(r)
}
