package feed

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
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
	Explain bool
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
	places  []reserve.Place   // the order that a later page follows
	given   cursor.GivenPosts // what the session gave out, where its order is lost
	remade  bool              // the order was lost, and this request made it anew
	reserve *reserve.Reserve  // what the viewer is to authors, and the candidates
	marks   viewerMarks
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
	r.timeline = session.Algo == cursor.Timeline // a ranked session that had to begin as a timeline goes on as one
	return nil
}

// firstPage ranks the reserve with the engagement of the moment.
func (f *Feed) firstPage(ctx context.Context, r *request) {
	f.rank(ctx, r)
	r.page = r.work.order[:min(r.Limit, len(r.work.order))]
	if len(r.work.order) > len(r.page) {
		f.continueAt(r, r.session, r.placesOf(r.page))
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

// continueAt has the next page begin after some more places of the session.
func (f *Feed) continueAt(r *request, next cursor.Cursor, given []reserve.Place) {
	if next.Tells() {
		for _, place := range given {
			next.Given = next.Given.Append(next.Session, place.Post)
		}
	}
	next.Place += len(given)
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

// candidates are the reserve's posts that still stand, those that arrived since it was made, without
// what the viewer may not or need not see.
func (f *Feed) candidates(r *request) {
	w := r.work
	w.reset(len(r.reserve.Authors))
	edge := r.now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := r.hot.View()
	defer set.Close()
	w.wanted = w.wanted[:0]
	for i := range r.reserve.Candidates {
		w.wanted = append(w.wanted, r.reserve.Candidates[i].Post)
	}
	w.found = set.GetAll(w.found[:0], w.wanted)
	for i, p := range w.found {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		if p == nil || p.Author != author.ID || f.bars(r, c.Post, author) { // nil: deleted or hidden meanwhile
			continue
		}
		w.posts = append(w.posts, scored{
			post: p.ID, author: p.Author, created: p.Created, source: c.Source, interactions: author.Affinity(), refused: p.Refused,
			authorAt: c.Author, rated: true, terms: rank.Terms{Engagement: set.EngagementTerm(p, r.ranking)},
		})
		if r.Explain { // else the counts are not looked at: they are another cache line of each post
			w.posts[len(w.posts)-1].engagement = p.Day()
		}
	}
	clear(w.found) // they hold no longer than the view
	f.arrivals(r, set, edge)
}

// clockSkew is by how much a reserve that another replica computed may seem to be too young.
const clockSkew = 5 * time.Second

// arrivals adds the posts of those whom the viewer follows or cares for that came in since the
// reserve was made.
func (f *Feed) arrivals(r *request, set hot.View, edge int64) {
	since := r.reserve.BuiltAt.Add(-clockSkew)
	arrive := func(p *hot.Post, author reserve.Author) bool {
		if source := sourceOf(author); source != 0 && p.Created >= edge && !f.bars(r, p.ID, author) && !r.holds(p.ID) {
			r.work.add(p, source, r.reserve).fresh = true
		}
		return len(r.work.posts) < 2*f.cfg.ReserveSize
	}
	if n, all := set.Arrivals(since); !all || n > len(r.reserve.Authors) {
		f.arrivedOf(r, set, since.Add(-lateArrival).UnixMicro(), arrive)
		return
	}
	set.ArrivedSince(since, func(post, authorID core.ID) bool {
		at, known := r.reserve.Find(authorID)
		if !known {
			return true
		}
		p, ok := set.Post(post)
		return !ok || arrive(&p, r.reserve.Authors[at])
	})
}

// lateArrival is how long after it was made a post may become visible and still be found by its author,
// without having been noted as an arrival: while changes from the app's database are late, for instance.
const lateArrival = time.Hour

// arrivedOf goes through the latest posts of each author instead of all that arrived: to this replica not
// every arrival is known, or there were so many that this is less.
func (f *Feed) arrivedOf(r *request, set hot.View, since int64, arrive func(*hot.Post, reserve.Author) bool) {
	for _, author := range r.reserve.Authors {
		if sourceOf(author) == 0 {
			continue
		}
		more := true
		set.ByAuthor(author.ID, func(p *hot.Post) bool {
			if p.Created < since {
				return false
			}
			more = arrive(p, author)
			return more
		})
		if !more {
			return
		}
	}
}

// sourceOf is the source that an author's new posts come from; zero for a stranger.
func sourceOf(author reserve.Author) reserve.Source {
	switch {
	case author.Relation&reserve.Follows != 0:
		return reserve.Followee
	case author.Affinity() > 0:
		return reserve.Affine
	}
	return 0
}

// newcomers adds what has come into the lists of everybody since the reserve was made: popular posts, as in
// a computation, only as far as the others are too few.
func (f *Feed) newcomers(r *request) {
	lists, since := r.hot.Lists(), r.reserve.BuiltAt.Add(-clockSkew)
	f.offerNew(r, lists.Day, f.cfg.Sources.Trending.Limit, reserve.Trending, since)
	missing := f.cfg.Sources.Popular.Limit
	for i := range r.work.posts {
		if r.work.posts[i].source != reserve.Popular {
			missing--
		}
	}
	f.offerNew(r, lists.Popular, missing, reserve.Popular, since)
}

func (f *Feed) offerNew(r *request, list []hot.Ranked, most int, source reserve.Source, since time.Time) {
	if most <= 0 {
		return
	}
	set := r.hot.View()
	defer set.Close()
	for i := range list[:min(most, len(list))] {
		if list[i].Since.Before(since) || r.holds(list[i].Post.ID) {
			continue
		}
		if p, ok := set.Post(list[i].Post.ID); ok && !f.bars(r, p.ID, r.reserve.Author(p.Author)) {
			r.work.add(&p, source, r.reserve).fresh = true
		}
	}
}

// holds tells whether the list has a post. It is asked for the few posts that are new.
func (r *request) holds(post core.ID) bool {
	for i := range r.work.posts {
		if r.work.posts[i].post == post {
			return true
		}
	}
	return false
}

// bars are the filters, all of which hold on every path.
func (f *Feed) bars(r *request, post core.ID, author reserve.Author) bool {
	return barred(r.User, author) || r.marks.has(post) || r.given.Has(post)
}

// barred are the filters on authors: blocked either way, muted, and oneself.
func barred(viewer core.ID, author reserve.Author) bool {
	return author.Relation&reserve.Barred != 0 || author.ID == viewer
}

// fillUp adds posts for everybody where the reserve has too few for a page: trending and popular ones
// first, then any, and at last, rather than an empty page, those that were seen before.
func (f *Feed) fillUp(r *request) {
	r.listed.Reset(2 * f.cfg.ReserveSize)
	for i := range r.work.posts {
		r.listed.Add(r.work.posts[i].post)
	}
	lists := r.hot.Lists()
	f.offerList(r, lists.Day, reserve.Trending)
	f.offerList(r, lists.Popular, reserve.Popular)
	if len(r.work.posts) >= r.Limit {
		return
	}
	f.offerAll(r, func(p *hot.Post) { f.offer(r, p, reserve.Popular) })
	if len(r.work.posts) > 0 || !f.cfg.RepeatSeen || r.Cursor != "" {
		return
	}
	f.offerAll(r, func(p *hot.Post) {
		if !barred(r.User, r.reserve.Author(p.Author)) && !r.marks.hidden.Has(p.ID) {
			r.work.add(p, reserve.Popular, r.reserve).repeated = true
		}
	})
}

// offerList adds the posts of a list that still stand.
func (f *Feed) offerList(r *request, list []hot.Ranked, source reserve.Source) {
	set := r.hot.View()
	defer set.Close()
	for i := range list {
		if p, ok := set.Post(list[i].Post.ID); ok {
			f.offer(r, &p, source)
		}
	}
}

// offer adds a post unless it is barred, or listed already.
func (f *Feed) offer(r *request, p *hot.Post, source reserve.Source) {
	if !f.bars(r, p.ID, r.reserve.Author(p.Author)) && r.listed.Add(p.ID) {
		r.work.add(p, source, r.reserve)
	}
}

// offerAll goes through the whole hot set, for the viewer who has nearly emptied it.
func (f *Feed) offerAll(r *request, offer func(*hot.Post)) {
	set := r.hot.View()
	defer set.Close()
	set.All(func(p *hot.Post) bool {
		offer(p)
		return len(r.work.posts) < f.cfg.ReserveSize
	})
}

// laterPage goes on in the order that the session began with. Posts that may not be shown any more
// are passed over; nothing comes in.
func (f *Feed) laterPage(ctx context.Context, r *request) error {
	if !r.ordered() {
		if !r.session.Tells() {
			return cursor.Expired()
		}
		f.reorder(ctx, r)
	}
	w := r.work
	w.reset(len(r.reserve.Authors))
	place := r.session.Place
	for place < len(r.places) && len(w.posts) < r.Limit {
		end := min(len(r.places), place+r.Limit-len(w.posts))
		f.standing(ctx, r, r.places[place:end])
		place = end
	}
	w.score(&r.ranking.Config, r.now)
	w.order = w.order[:0]
	for i := range w.posts {
		w.order = append(w.order, int32(i))
	}
	r.page = w.order
	if place < len(r.places) {
		f.continueAt(r, r.session, r.places[r.session.Place:place])
	}
	return nil
}

// ordered tells whether the session's order is at hand from where the cursor stands.
func (r *request) ordered() bool {
	return r.places != nil && (r.session.Place >= len(r.places) || r.places[r.session.Place].Post.Valid())
}

// reorder makes the order of a session anew that is lost, in Redis and here: what the cursor does not
// tell as given out, in the order of now. What was made since the session began stays out.
func (f *Feed) reorder(ctx context.Context, r *request) {
	f.metrics.cache.WithLabelValues("reordered").Inc()
	r.remade = r.places == nil // else somebody is further on, by an order that is kept
	r.given = r.session.Given.Posts(r.session.Session)
	f.rank(ctx, r)
	began := r.session.StartedAt.UnixMicro()
	order := slices.DeleteFunc(r.work.order, func(at int32) bool { return r.work.posts[at].created > began })
	given := make([]reserve.Place, r.session.Place)
	r.places = append(given, r.placesOf(order[:min(len(order), f.cfg.ReserveSize)])...)
}

// standing adds those posts of an order that may still be shown. What the viewer has seen since the
// session began does not count: see viewerMarks.
func (f *Feed) standing(ctx context.Context, r *request, places []reserve.Place) {
	posts := f.lookUp(ctx, r, places)
	for i, place := range places {
		p := &posts[i]
		if p.ID == 0 || p.Author == r.User || r.marks.hidden.Has(p.ID) {
			continue
		}
		if r.reserve.Author(p.Author).Relation&reserve.Barred == 0 {
			r.work.add(p, place.Source, r.reserve)
		}
	}
}

// settle carries out what the answer does not wait for.
func (f *Feed) settle(r *request) {
	f.metrics.requests.WithLabelValues(r.algoName(), string(r.servedFrom)).Inc()
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
