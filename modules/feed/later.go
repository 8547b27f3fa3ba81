package feed

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// laterPage goes on in the order that the session began with. Posts that may not be shown any more are passed over;
// nothing comes in. Where one is missing, those behind it move up, perhaps too near to another post of their author:
// so the rest is varied again. As long as nothing is missing, that changes nothing, since each place has the first
// post that breaks the fewest rules. What has to wait is deferred: the cursor has its place.
func (f *Feed) laterPage(ctx context.Context, r *request) error {
	if !r.ordered() {
		if !r.session.Tells() {
			return cursor.Expired()
		}
		if err := f.reorder(ctx, r); err != nil {
			return err
		}
	}
	w := r.work
	w.reset(len(r.reserve.Authors))
	rest := r.rest()
	for len(rest) > 0 && (len(w.posts) < r.Limit || r.hot.Useful()) {
		some := rest
		if !r.hot.Useful() { // each post is a question to the app's database
			some = rest[:min(len(rest), 2*r.Limit)]
		}
		f.keepVisible(ctx, r, some)
		rest = rest[len(some):]
	}
	chosen := r.vary()
	f.goOn(r, chosen, len(rest) > 0)
	w.keep(chosen)
	w.score(&r.ranking.Config, r.now)
	w.order = w.order[:0]
	for i := range w.posts {
		w.order = append(w.order, int32(i))
	}
	r.page = w.order
	return nil
}

// rest are the places of the session's order that were not given out, the deferred ones first.
func (r *request) rest() []int32 {
	w := r.work
	w.rest = w.rest[:0]
	add := func(place int) {
		if place < len(r.places) && r.places[place].Post.Valid() { // else the order was made anew
			w.rest = append(w.rest, int32(place)) //nolint:gosec // an order has some hundred places
		}
	}
	for _, place := range r.session.Deferred {
		add(place)
	}
	for place := r.session.Place; place < len(r.places); place++ {
		add(place)
	}
	return w.rest
}

// vary chooses the posts of the page from those that stand: the first that breaks the fewest rules, place by place.
func (r *request) vary() []int32 {
	w := r.work
	given := r.servedAuthors()
	w.authors = w.authors[:0]
	for i := range w.posts {
		w.authors = append(w.authors, w.posts[i].authorAt)
	}
	d := w.diversifierFor(r.ranking.Diversity)
	w.diversified = d.OrderAfter(w.diversified[:0], r.session.Shown-len(given), given, w.authors, w.authorCount)
	chosen := w.diversified[:min(r.Limit, len(w.diversified))]
	// more than a cursor can tell: as they come
	if len(chosen) > 0 && int(slices.Max(chosen)) >= len(chosen)+cursor.MaxDeferred {
		for place := range chosen {
			chosen[place] = int32(place) // at most a page
		}
		return chosen
	}
	for place, at := range chosen {
		w.posts[at].relaxed, w.posts[at].moved = d.Relaxed()[place], int(at) != place
	}
	return chosen
}

// goOn says where the next page begins, if there is one.
func (f *Feed) goOn(r *request, chosen []int32, more bool) {
	w := r.work
	if len(chosen) == len(w.posts) && !more {
		return
	}
	place, given, taken := r.session.Place, make([]reserve.Place, 0, len(chosen)), make(map[int32]bool, len(chosen))
	for _, at := range chosen {
		taken[at] = true
		given = append(given, r.places[w.positions[at]])
		place = max(place, int(w.positions[at])+1)
	}
	if len(chosen) == len(w.posts) { // all that was looked at is gone, or given out
		place = max(place, int(w.rest[w.looked-1])+1)
	}
	var deferred []int
	for at := range w.posts {
		if p := int(w.positions[at]); p < place && !taken[int32(at)] { // an index
			deferred = append(deferred, p)
		}
	}
	f.continueAt(r, given, place, deferred)
}

// servedAuthors are the authors of the posts that the session gave out last, as far as a rule can look back, numbered
// like those of the list. Who is not known any more is nobody else.
func (r *request) servedAuthors() []int32 {
	w, rules := r.work, r.ranking.Diversity
	w.servedAuthors = w.servedAuthors[:0]
	if !r.session.Tells() {
		return w.servedAuthors
	}
	latest := min(max(rules.Window, rules.Gap, rules.Top), r.session.Shown)
	places := r.session.Served.Latest(latest)
	for range latest {
		w.servedAuthors = append(w.servedAuthors, int32(w.authorCount)) //nolint:gosec // a few thousand authors
		w.authorCount++
	}
	if r.hot.Useful() {
		set := r.hot.View()
		defer set.Close()
		for _, place := range r.places[:min(r.session.Place, len(r.places))] {
			at, was := places[cursor.Hash(r.session.Session, place.Post)]
			if !was {
				continue
			}
			if p, ok := set.Post(place.Post); ok {
				w.servedAuthors[at] = w.numberOf(p.Author, r.reserve)
			}
		}
	}
	for i := range r.reserve.Candidates { // of an order that was lost, these are what is left to tell
		c := &r.reserve.Candidates[i]
		if at, was := places[cursor.Hash(r.session.Session, c.Post)]; was {
			w.servedAuthors[at] = c.Author
		}
	}
	return w.servedAuthors
}

// ordered tells whether the session's order is at hand from where the cursor stands.
func (r *request) ordered() bool {
	return r.places != nil && (r.session.Place >= len(r.places) || r.places[r.session.Place].Post.Valid())
}

// reorder makes the order of a session anew that is lost, in Redis and here: what the cursor does not
// tell as given out, in the order of now. What was made since the session began stays out.
func (f *Feed) reorder(ctx context.Context, r *request) error {
	f.metrics.orders.WithLabelValues("remade").Inc()
	r.remade = r.places == nil // else somebody is further on, by an order that is kept
	r.kind, r.viewer.Served = filters.Remade, r.session.Served.Posts(r.session.Session)
	if err := f.rank(ctx, r); err != nil {
		return err
	}
	began := r.session.StartedAt.UnixMicro()
	order := slices.DeleteFunc(r.work.order, func(at int32) bool { return r.work.posts[at].created > began })
	given := make([]reserve.Place, r.session.Place)
	r.places = append(given, r.placesOf(order[:min(len(order), f.cfg.ReserveSize)])...)
	return nil
}

// keepVisible adds those posts of an order that may still be shown. What the viewer has seen since the
// session began does not count: see seenHidden.
func (f *Feed) keepVisible(ctx context.Context, r *request, rest []int32) {
	w := r.work
	places := make([]reserve.Place, len(rest))
	for i, place := range rest {
		places[i] = r.places[place]
	}
	posts := f.lookUp(ctx, r, places)
	w.looked += len(rest)
	for i, place := range places {
		p := &posts[i]
		asked := filters.Post{ID: place.Post, Author: r.reserve.Author(p.Author), Gone: p.ID == 0}
		if r.viewer.Reject(filters.Complete, asked) == nil {
			w.add(p, place.Source, r.reserve)
			w.positions = append(w.positions, rest[i])
		}
	}
}
