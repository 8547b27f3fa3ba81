package feed

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
)

// DefaultLimit is how long a page is that nobody says the length of.
const DefaultLimit = 20

// Query is what a client asks for.
type Query struct {
	User    core.ID
	Order   cursor.Algo
	Limit   int
	Cursor  string
	Explain bool      // with every number behind a score
	Window  string    // of the trending posts that are asked for
	Since   time.Time // new posts since then are to be counted
	Narrow  Narrowing // to posts of some labels and languages
}

// request is one request on its way through the stages. Its memory is used again.
type request struct {
	Query
	page.Page                   // the answer, as far as it is made
	hot        *hot.Set         // the replica's, or one on demand in its place
	state      store.State      // what Redis knows of the viewer
	entry      reserve.Entry    // of state, decoded
	places     []reserve.Place  // the order that a later page follows
	remade     bool             // the order was lost, and this request made it anew
	reserve    *reserve.Reserve // what the viewer is to authors, and the candidates
	seenHidden viewer.SeenHidden
	seenUntil  time.Time       // what the viewer sees from then on does not count
	viewer     filters.Viewer  // whom the filters ask
	kind       filters.Kind    // of a list that is ranked here
	news       []reserve.Patch // what the replica heard of the viewer that the reserve may not know
	list       *shortlist.List // what the page is cut from
	scratch
	write    func(*page.Page) error // the answer
	writeErr error
}

// scratch is memory that some stages use for themselves.
type scratch struct {
	wanted        []core.ID       // the reserve's candidates
	found         []*hot.Post     // what the hot set has of them, while it is looked at
	listed        idset.Set       // posts on the list, where many are offered
	ordered       []reserve.Place // see placesOf
	rest          []int32         // places of a session's order that were not given out
	looked        int             // so many of rest were looked at
	positions     []int32         // of each post of the list, its place in the session's order
	servedAuthors []int32         // authors of what the session gave out last
	unnamed       []core.ID       // numbers of the page that need the text of a key
}

func (f *Feed) take(q Query) *request {
	r, _ := f.requests.Get().(*request)
	now := f.clock.Now()
	*r = request{
		Query: q,
		Page: page.Page{
			Viewer: q.User, Now: now, Ranking: f.ranking.Get(), Later: q.Cursor != "",
			Items: r.Items[:0], Sources: r.Sources[:0], Stages: r.Stages[:0],
		},
		hot: f.hot, entry: r.entry, places: r.places[:0], seenHidden: r.seenHidden, seenUntil: now.Add(time.Hour),
		viewer: r.viewer, news: r.news[:0], list: r.list, scratch: r.scratch,
	}
	r.viewer.Seen, r.viewer.Hidden, r.viewer.SeenFor = &r.seenHidden.Seen, &r.seenHidden.Hidden, f.cfg.Store.SeenFor
	r.viewer.Sets = f.people
	r.viewer.Until = now.Add(f.cfg.Hot.ClockTolerance).UnixMicro()
	r.viewer.Labels = filters.LabelRules{Wanted: q.Narrow.wanted(f.cfg.Labels), Discovery: f.keptOut}
	r.viewer.Begin(f.filters, q.User)
	r.entry.Forget()
	return r
}

// give lets go of what others own before the request's memory is used again.
func (f *Feed) give(r *request) {
	r.state, r.reserve, r.Ranking, r.hot, r.write = store.State{}, nil, nil, nil, nil
	f.requests.Put(r)
}

// show makes posts of the list the page.
func (r *request) show(chosen []int32) {
	for _, at := range chosen {
		r.Items = append(r.Items, &r.list.Posts[at])
	}
}

// posts are those of the page.
func (r *request) posts() []core.ID {
	posts := make([]core.ID, len(r.Items))
	for i, item := range r.Items {
		posts[i] = item.ID
	}
	return posts
}
