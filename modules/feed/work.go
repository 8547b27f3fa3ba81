package feed

import (
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// scored is a candidate on its way to a page.
type scored struct {
	post         core.ID
	author       core.ID
	created      int64 // microseconds since 1970
	engagement   core.Engagement
	terms        rank.Terms
	score        float64
	interactions float64
	authorAt     int32 // numbers the authors of this list, for diversity
	before       int32 // the place by score alone, from 0
	source       reserve.Source
	relaxed      uint8 // how far the rules of diversity gave way for it
	rated        bool  // terms.Engagement is there: the hot set keeps it
	fresh        bool  // came in when the page was made
	suppressed   bool  // its engagement does not count: of one account, or a few
	moved        bool  // a post before it waits, for variety around what is missing
	repeated     bool  // was seen before; nothing else is left
}

// work is the memory of one ranking, used again by the next.
type work struct {
	posts       []scored
	kept        []scored
	wanted      []core.ID   // the reserve's candidates
	found       []*hot.Post // what the hot set has of them, while it is looked at
	order       []int32     // indexes of posts, best first
	keys        []uint64    // what order is sorted by
	affinity    []float64   // the term of each author
	places      []reserve.Place
	authors     []int32
	diversified []int32
	diversifier *rank.Diversifier
	// places of a session's order that were not given out; the first looked of them were looked at
	rest          []int32
	looked        int
	positions     []int32           // of each post, its place in the session's order
	servedAuthors []int32           // authors of what the session gave out last
	extra         map[core.ID]int32 // authors that the reserve does not know, numbered after its own
	authorCount   int
}

func newWork() *work { return &work{extra: map[core.ID]int32{}} }

func (f *Feed) takeWork() *work {
	w, _ := f.works.Get().(*work)
	w.reset(0)
	return w
}

// reset begins a new list; known is the number of authors that the reserve knows.
func (w *work) reset(known int) {
	w.posts, w.order = w.posts[:0], w.order[:0]
	w.positions, w.looked = w.positions[:0], 0
	w.authorCount = known
	clear(w.extra)
}

// fill takes over what the sources gave.
func (w *work) fill(r *reserve.Reserve, posts []merged) {
	w.reset(len(r.Authors))
	for i := range posts {
		m := &posts[i]
		w.append(&m.post, m.source, r.Authors[m.author]).authorAt = m.author
	}
}

// append puts a post in; the number of its author is up to the caller.
func (w *work) append(p *hot.Post, source reserve.Source, author reserve.Author) *scored {
	w.posts = append(w.posts, scored{
		post: p.ID, author: p.Author, created: p.Created, engagement: p.Day(), source: source,
		interactions: author.Affinity(),
		suppressed:   p.Suppressed || p.Few,
	})
	return &w.posts[len(w.posts)-1]
}

// add puts one post in whose author the reserve may not know.
func (w *work) add(p *hot.Post, source reserve.Source, r *reserve.Reserve) *scored {
	s := w.append(p, source, r.Author(p.Author))
	s.authorAt = w.numberOf(p.Author, r)
	return s
}

// numberOf is the number of an author: the reserve's, or one behind them.
func (w *work) numberOf(author core.ID, r *reserve.Reserve) int32 {
	if at, ok := r.Find(author); ok {
		return int32(at) //nolint:gosec // a few thousand authors
	}
	return w.number(author)
}

func (w *work) number(author core.ID) int32 {
	at, ok := w.extra[author]
	if !ok {
		at = int32(w.authorCount) //nolint:gosec // as above
		w.authorCount++
		w.extra[author] = at
	}
	return at
}

// keep leaves only these posts, in this order.
func (w *work) keep(chosen []int32) {
	w.kept = w.kept[:0]
	for _, at := range chosen {
		w.kept = append(w.kept, w.posts[at])
	}
	w.posts, w.kept = w.kept, w.posts
}

// cut makes the best posts the reserve's candidates.
func (w *work) cut(size int, r *reserve.Reserve) {
	best := w.order[:min(size, len(w.order))]
	r.Candidates = make([]reserve.Candidate, 0, len(best))
	for _, i := range best {
		s := &w.posts[i]
		r.Candidates = append(r.Candidates, reserve.Candidate{
			Post: s.post, Author: s.authorAt, Source: s.source,
			Created: s.created,
		})
	}
}

// ids are the posts of the list, best first.
func (w *work) ids() []core.ID {
	ids := make([]core.ID, len(w.order))
	for place, i := range w.order {
		ids[place] = w.posts[i].post
	}
	return ids
}
