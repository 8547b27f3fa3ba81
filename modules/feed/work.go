package feed

import (
	"cmp"
	"slices"
	"time"

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
	fresh        bool  // came in when the page was made
	refused      bool  // its engagement does not count: of one account, or a few
	repeated     bool  // was seen before; nothing else is left
}

// work is the memory of one ranking, used again by the next.
type work struct {
	posts       []scored
	order       []int32 // indexes of posts, best first
	authors     []int32
	diversified []int32
	diversifier *rank.Diversifier
	extra       map[core.ID]int32 // authors that the reserve does not know, numbered after its own
	authorCount int
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
	w.authorCount = known
	clear(w.extra)
}

// fill takes over what the sources gave.
func (w *work) fill(r *reserve.Reserve, posts []merged) {
	w.reset(len(r.Authors))
	for i := range posts {
		m := &posts[i]
		s := scoredOf(&m.post, m.source, r.Authors[m.author])
		s.authorAt = m.author
		w.posts = append(w.posts, s)
	}
}

func scoredOf(p *hot.Post, source reserve.Source, author reserve.Author) scored {
	return scored{
		post: p.ID, author: p.Author, created: p.Created, engagement: p.Day(), source: source, interactions: author.Affinity(), refused: p.Refused,
	}
}

// add puts one post in whose author the reserve may not know.
func (w *work) add(p *hot.Post, source reserve.Source, r *reserve.Reserve) *scored {
	at, ok := r.Find(p.Author)
	author := reserve.Author{ID: p.Author}
	if ok {
		author = r.Authors[at]
	} else {
		at = int(w.number(p.Author))
	}
	s := scoredOf(p, source, author)
	s.authorAt = int32(at) //nolint:gosec // a few thousand authors
	w.posts = append(w.posts, s)
	return &w.posts[len(w.posts)-1]
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

// score computes every post's terms and puts the list in the order of the scores. Equal scores are
// ordered by time and id, so that equal input gives equal output.
func (w *work) score(c *rank.Config, now time.Time) {
	w.order = w.order[:0]
	for i := range w.posts {
		s := &w.posts[i]
		s.terms = rank.Terms{
			Freshness:  c.Freshness(time.Duration(now.UnixMicro()-s.created) * time.Microsecond),
			Engagement: c.EngagementTerm(s.engagement),
			Affinity:   c.AffinityTerm(s.interactions),
		}
		s.score = c.Score(s.terms)
		w.order = append(w.order, int32(i))
	}
	slices.SortFunc(w.order, func(a, b int32) int {
		x, y := &w.posts[a], &w.posts[b]
		switch {
		case x.score > y.score: // never NaN
			return -1
		case x.score < y.score:
			return 1
		case x.created != y.created:
			return cmp.Compare(y.created, x.created)
		default:
			return cmp.Compare(y.post, x.post)
		}
	})
	for place, i := range w.order {
		w.posts[i].before = int32(place)
	}
}

// diversify reorders the list by the rules of variety.
func (w *work) diversify(rules rank.Diversity) {
	if w.diversifier == nil || w.diversifier.Rules() != rules {
		w.diversifier = rank.NewDiversifier(rules)
	}
	w.authors = w.authors[:0]
	for _, i := range w.order {
		w.authors = append(w.authors, w.posts[i].authorAt)
	}
	w.diversified = w.diversifier.Order(w.diversified[:0], w.authors, w.authorCount)
	for place, at := range w.diversified {
		w.diversified[place] = w.order[at]
		w.posts[w.order[at]].relaxed = w.diversifier.Relaxed()[place]
	}
	w.order, w.diversified = w.diversified, w.order
}

// cut makes the best posts the reserve's candidates.
func (w *work) cut(size int, r *reserve.Reserve) {
	best := w.order[:min(size, len(w.order))]
	r.Candidates = make([]reserve.Candidate, 0, len(best))
	for _, i := range best {
		s := &w.posts[i]
		r.Candidates = append(r.Candidates, reserve.Candidate{Post: s.post, Author: s.authorAt, Source: s.source, Created: s.created})
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
