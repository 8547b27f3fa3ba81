package feed

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// laterPage goes on in the order that the session began with. Posts that may not be shown any more are passed over;
// nothing comes in. Where one is missing, those behind it move up, perhaps too near to another post of their author:
// so the rest is varied again. As long as nothing is missing, that changes nothing, since each place has the first
// post that breaks the fewest rules. What has to wait is deferred: the cursor has its place.
func (f *Feed) laterPage(ctx context.Context, r *request) error {
	if !r.hasOrder() {
		if !r.Session.Tells() {
			return cursor.Expired()
		}
		if err := f.reorder(ctx, r); err != nil {
			return err
		}
	}
	rest := f.stillInOrder(ctx, r, r.ahead())
	f.markQuiet(r)
	chosen := r.vary()
	r.goOn(chosen, len(rest) > 0)
	r.list.Keep(chosen)
	r.list.Score(&r.Ranking.Config, r.Now)
	r.list.AsListed()
	r.show(r.list.Order)
	return nil
}

// hasOrder tells whether the session's order is at hand from where the cursor stands.
func (r *request) hasOrder() bool {
	at := r.Session.Place
	return r.places != nil && (at >= len(r.places) || r.places[at].Post.Valid()) && r.follows()
}

// follows tells whether the order is the one that the cursor's places count in: all that the session gave out stands
// before its place, and none of it is deferred. Where a page came to another replica before Redis had the order, that
// replica made one of its own, and the two differ: to go on in the wrong one would show posts twice and skip others.
// What was given out before the order was made anew has empty places in it.
func (r *request) follows() bool {
	if !r.Session.Tells() {
		return true
	}
	before := r.places[:min(r.Session.Place, len(r.places))]
	given, empty := make(map[uint32]struct{}, len(before)), 0
	for at, place := range before {
		switch {
		case !place.Post.Valid():
			empty++
		case !slices.Contains(r.Session.Deferred, at):
			given[cursor.Hash(r.Session.Session, place.Post)] = struct{}{}
		}
	}
	return r.Session.Served.Within(given, empty)
}

// reorder makes the order of a session anew that is lost, in Redis and here: what the cursor does not
// tell as given out, in the order of now. What was made since the session began stays out.
func (f *Feed) reorder(ctx context.Context, r *request) error {
	f.metrics.Orders.WithLabelValues("remade").Inc()
	// Else somebody is further on, by an order that is kept.
	r.remade = r.places == nil || !r.follows()
	r.kind, r.viewer.Served = filters.Remade, r.Session.Served.Posts(r.Session.Session)
	if err := f.rank(ctx, r); err != nil {
		return err
	}
	began := r.Session.StartedAt.UnixMicro()
	order := slices.DeleteFunc(r.list.Order, func(at int32) bool { return r.list.Posts[at].Created > began })
	given := make([]reserve.Place, r.Session.Place)
	r.places = append(given, r.placesOf(order[:min(len(order), f.cfg.ReserveSize)])...)
	return nil
}

// ahead are the places of the session's order that were not given out, the deferred ones first.
func (r *request) ahead() []int32 {
	r.rest = r.rest[:0]
	add := func(place int) {
		if place < len(r.places) && r.places[place].Post.Valid() { // else the order was made anew
			r.rest = append(r.rest, int32(place))
		}
	}
	for _, place := range r.Session.Deferred {
		add(place)
	}
	for place := r.Session.Place; place < len(r.places); place++ {
		add(place)
	}
	return r.rest
}

// stillInOrder puts those posts of an order on the list that may still be shown, and gives the places that it did not
// need to look at. What the viewer has seen since the session began does not count: see seenUntil.
func (f *Feed) stillInOrder(ctx context.Context, r *request, rest []int32) []int32 {
	r.list.Reset(len(r.reserve.Authors))
	r.positions, r.looked = r.positions[:0], 0
	for len(rest) > 0 && (len(r.list.Posts) < r.Limit || r.hot.Useful()) {
		some := rest
		if !r.hot.Useful() { // each post is a question to the app's database
			some = rest[:min(len(rest), 2*r.Limit)]
		}
		places := make([]reserve.Place, len(some))
		for i, place := range some {
			places[i] = r.places[place]
		}
		posts := f.lookUp(ctx, r, places)
		for i, place := range places {
			p := &posts[i]
			asked := r.labelled(filters.Post{
				ID: place.Post, Author: r.reserve.Author(p.Author), Gone: p.ID == 0, Created: p.Created,
				Audience: p.Audience, Member: r.reserve.Member(p.Audience, p.Group),
			}, p)
			if r.viewer.Reject(filters.Complete, asked) == nil {
				r.list.Add(p, place.Source, r.reserve)
				r.positions = append(r.positions, some[i])
			}
		}
		r.looked += len(some)
		rest = rest[len(some):]
	}
	return rest
}

// vary chooses the posts of the page from those that stand: the first that breaks the fewest rules, place by place.
func (r *request) vary() []int32 {
	given := r.givenAuthors()
	order, relaxed, kept := r.list.DiversifyAfter(r.Ranking.Diversity, r.Session.Shown-len(given), given)
	chosen := order[:min(r.Limit, len(order))]
	// more than a cursor can tell: as they come
	if len(chosen) > 0 && int(slices.Max(chosen)) >= len(chosen)+cursor.MaxDeferred {
		for place := range chosen {
			chosen[place] = int32(place) // at most a page
		}
		return chosen
	}
	for place, at := range chosen {
		p := &r.list.Posts[at]
		p.Relaxed, p.Moved = relaxed[place], int(at) != place
		if len(kept) > 0 && kept[place] {
			p.Quiet = shortlist.KeptPlace
		}
	}
	return chosen
}

// givenAuthors are the authors of the posts that the session gave out last, as far as a rule can look back, numbered
// like those of the list. Who is not known any more is nobody else.
func (r *request) givenAuthors() []int32 {
	rules, given := r.Ranking.Diversity, r.servedAuthors[:0]
	if !r.Session.Tells() {
		return given
	}
	latest := min(max(rules.Window, rules.Gap, rules.Top), r.Session.Shown)
	places := r.Session.Served.Latest(latest)
	for range latest {
		given = append(given, r.list.Nobody())
	}
	if r.hot.Useful() {
		set := r.hot.View()
		defer set.Close()
		for _, place := range r.places[:min(r.Session.Place, len(r.places))] {
			at, was := places[cursor.Hash(r.Session.Session, place.Post)]
			if !was {
				continue
			}
			if p, ok := set.Post(place.Post); ok {
				given[at] = r.list.Number(p.Author, r.reserve)
			}
		}
	}
	for i := range r.reserve.Candidates { // of an order that was lost, these are what is left to tell
		c := &r.reserve.Candidates[i]
		if at, was := places[cursor.Hash(r.Session.Session, c.Post)]; was {
			given[at] = c.Author
		}
	}
	r.servedAuthors = given
	return given
}

// goOn says where the next page begins, if there is one.
func (r *request) goOn(chosen []int32, more bool) {
	posts := r.list.Posts
	if len(chosen) == len(posts) && !more {
		return
	}
	place, given, taken := r.Session.Place, make([]reserve.Place, 0, len(chosen)), make(map[int32]bool, len(chosen))
	for _, at := range chosen {
		taken[at] = true
		given = append(given, r.places[r.positions[at]])
		place = max(place, int(r.positions[at])+1)
	}
	if len(chosen) == len(posts) { // all that was looked at is gone, or given out
		place = max(place, int(r.rest[r.looked-1])+1)
	}
	var deferred []int
	for at := range posts {
		if p := int(r.positions[at]); p < place && !taken[int32(at)] { // an index
			deferred = append(deferred, p)
		}
	}
	r.continueAt(given, place, deferred)
}
