package hot

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// Ranked is a post in a list, with the number that put it there.
type Ranked struct {
	Post  Post
	Value float64
	Since time.Time // when it came into the upper half of the list
	// Labels are those that it had when the list was made, of one that need not be in the set.
	Labels core.Labels
}

// Lists are posts ranked for everybody, best first.
type Lists struct {
	At      time.Time
	Hour    []Ranked // trending by the last 60 minutes
	Day     []Ranked // trending by the last 24 hours
	Popular []Ranked // recent and popular: every visible post is a candidate
}

// rankLists ranks all posts. It reads a page of them at a time.
func (s *Set) rankLists() {
	now := s.clock.Now()
	until := now.Add(s.cfg.ClockTolerance).UnixMicro()
	ranking := s.ranking.Get()
	floor := s.floor(ranking)
	s.rateAll(ranking, ranking.Enough(floor))
	minute := now.Sub(now.Truncate(time.Hour)).Minutes()
	size := 2 * s.cfg.ListPosts // some fall out again, for the number of one author
	hour, day, popular := top{size: size}, top{size: size}, top{size: size}
	s.eachPage(func(posts []Post) {
		for i := range posts {
			p := &posts[i]
			if p.ID == 0 || p.Created > until || s.withheld(p) != "" {
				continue
			}
			postAge, engagement := p.Age(now), believed(ranking, p.Day(), floor)
			popular.offer(p, ranking.Score(rank.Terms{
				Freshness: ranking.Freshness(postAge), Engagement: ranking.EngagementTerm(engagement),
			}))
			if trend := ranking.Trend(engagement, postAge); trend > 0 {
				day.offer(p, trend)
			}
			if ranking.People(engagement) > 0 && (p.counts[Current] != (counts{}) || p.counts[Previous] != (counts{})) {
				if trend := ranking.Trend(s.index.lastHour(p, minute), postAge); trend > 0 {
					hour.offer(p, trend)
				}
			}
		}
	})
	before := s.lists.Load()
	s.lists.Store(&Lists{
		At: now, Hour: hour.sorted(s.cfg.ListPosts, s.cfg.ListPerAuthor),
		Day:     s.since(now, before.Day, day.sorted(s.cfg.ListPosts, s.cfg.ListPerAuthor)),
		Popular: s.since(now, before.Popular, popular.sorted(s.cfg.ListPosts, s.cfg.ListPerAuthor)),
	})
}

// floor is how many people it takes in a day, also for the list of an hour.
func (s *Set) floor(ranking *rank.Versioned) int64 {
	reactions := int64(0)
	s.eachPage(func(posts []Post) {
		for i := range posts {
			if p := &posts[i]; p.ID != 0 {
				reactions += ranking.Reactions(p.all())
			}
		}
	})
	return ranking.Floor(reactions)
}

// believed is a post's engagement, without what too few people did.
func believed(ranking *rank.Versioned, e core.Engagement, floor int64) core.Engagement {
	if ranking.People(e) < floor {
		return core.Engagement{Exposures: e.Exposures, Dislikes: e.Dislikes}
	}
	return e
}

// since notes which posts of a list's upper half were not there before.
func (s *Set) since(now time.Time, before, list []Ranked) []Ranked {
	half := s.cfg.ListPosts / 2
	known := make(map[core.ID]time.Time, half)
	for i := range before[:min(half, len(before))] {
		known[before[i].Post.ID] = before[i].Since
	}
	for i := range list[:min(half, len(list))] {
		if list[i].Since = known[list[i].Post.ID]; list[i].Since.IsZero() {
			list[i].Since = now
		}
	}
	return list
}

// top keeps the size best posts it was offered, as a heap with the worst at its root.
type top struct {
	size int
	heap []Ranked
}

func worse(a, b *Ranked) bool {
	if a.Value != b.Value {
		return a.Value < b.Value
	}
	return a.Post.before(&b.Post)
}

func (t *top) offer(p *Post, value float64) {
	if math.IsNaN(value) {
		return
	}
	if len(t.heap) < t.size {
		t.heap = append(t.heap, Ranked{Post: *p, Value: value})
		for i := len(t.heap) - 1; i > 0 && worse(&t.heap[i], &t.heap[(i-1)/2]); i = (i - 1) / 2 {
			t.heap[i], t.heap[(i-1)/2] = t.heap[(i-1)/2], t.heap[i]
		}
		return
	}
	if value < t.heap[0].Value {
		return
	}
	if one := (Ranked{Post: *p, Value: value}); worse(&t.heap[0], &one) {
		t.heap[0] = one
		t.sink()
	}
}

func (t *top) sink() {
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.heap); c++ {
			if worse(&t.heap[c], &t.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		t.heap[i], t.heap[least] = t.heap[least], t.heap[i]
		i = least
	}
}

// sorted is the list, best first, and at most perAuthor posts of one author while others are left.
func (t *top) sorted(most, perAuthor int) []Ranked {
	slices.SortFunc(t.heap, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(b.Post.Created, a.Post.Created),
			cmp.Compare(b.Post.ID, a.Post.ID))
	})
	perAuthorSoFar := make(map[core.ID]int, len(t.heap))
	var list, surplus []Ranked
	for _, r := range t.heap {
		if perAuthorSoFar[r.Post.Author]++; perAuthorSoFar[r.Post.Author] > perAuthor {
			surplus = append(surplus, r)
			continue
		}
		list = append(list, r)
	}
	if len(list) < most {
		list = append(list, surplus...)
	}
	return slices.Clone(list[:min(most, len(list))])
}

// rateAll rates all posts by a ranking that has come into force, or by another number of people that are enough.
// Until it is through, terms are worked out for each page.
func (s *Set) rateAll(ranking *rank.Versioned, enough int64) {
	s.mu.Lock()
	if s.index.rating == ranking && s.index.enough == enough && s.index.rated {
		s.mu.Unlock()
		return
	}
	s.index.rating, s.index.enough, s.index.rated = ranking, enough, false
	rating := s.index
	s.mu.Unlock()
	for from := 0; ; from += rowsAtOnce {
		s.mu.Lock()
		if s.index != rating { // another one was loaded meanwhile, with terms of its own
			s.mu.Unlock()
			return
		}
		if from >= int(rating.used) {
			rating.rated = true
			s.mu.Unlock()
			return
		}
		for place := from; place < min(from+rowsAtOnce, int(rating.used)); place++ {
			if p := rating.at(uint32(place)); p.ID != 0 {
				rating.rate(p)
			}
		}
		s.mu.Unlock()
	}
}
