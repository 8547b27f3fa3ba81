package hot

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// LabelSet is the number of a set of labels, which many posts share. 0 is the empty one, which all have where the app
// has no labels.
type LabelSet uint32

// labelSets gives sets of labels their numbers. Reading takes no lock: a page asks for each post that has labels.
//
// A set that no post has any more gives its number away, but not before unusedFor: a request that began earlier may
// hold a copy of a post.
type labelSets struct {
	mu      sync.Mutex
	numbers map[core.Labels]LabelSet
	unused  map[LabelSet]time.Time // since when
	free    []LabelSet
	sets    atomic.Pointer[[]atomic.Pointer[core.Labels]] // by number; it grows by copies
	next    LabelSet
}

const unusedFor = time.Minute

func newLabelSets() *labelSets {
	s := &labelSets{numbers: map[core.Labels]LabelSet{}, unused: map[LabelSet]time.Time{}, next: 1}
	s.sets.Store(new([]atomic.Pointer[core.Labels]))
	return s
}

// number is that of a set.
func (s *labelSets) number(labels core.Labels) LabelSet {
	if labels == "" {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, known := s.numbers[labels]; known {
		delete(s.unused, n)
		return n
	}
	n := s.next
	if last := len(s.free) - 1; last >= 0 {
		n, s.free = s.free[last], s.free[:last]
	} else {
		s.next++
	}
	sets := *s.sets.Load()
	if int(n) >= len(sets) {
		grown := make([]atomic.Pointer[core.Labels], max(64, 2*len(sets)))
		for i := range sets {
			grown[i].Store(sets[i].Load())
		}
		sets = grown
		s.sets.Store(&sets)
	}
	sets[n].Store(&labels)
	s.numbers[labels] = n
	return n
}

// of is the set of a number.
func (s *labelSets) of(n LabelSet) core.Labels {
	if n == 0 {
		return ""
	}
	return *(*s.sets.Load())[n].Load()
}

// keep lets go of the sets that are not used, and were not for a while.
func (s *labelSets) keep(used map[LabelSet]bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for labels, n := range s.numbers {
		since, unused := s.unused[n]
		switch {
		case used[n]:
			delete(s.unused, n)
		case !unused:
			s.unused[n] = now
		case now.Sub(since) >= unusedFor:
			delete(s.unused, n)
			delete(s.numbers, labels)
			s.free = append(s.free, n)
		}
	}
}

// keepLabels lets go of the sets of labels that no post has.
func (s *Set) keepLabels() {
	if s.labels.len() == 0 {
		return
	}
	used := map[LabelSet]bool{}
	s.eachPage(func(posts []Post) {
		for i := range posts {
			used[posts[i].Labels] = true
		}
	})
	s.labels.keep(used, s.clock.Now())
	s.metrics.labelSets.Set(float64(s.labels.len()))
}

// len is how many sets there are.
func (s *labelSets) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.numbers)
}

// Labels are those of a post of this set.
func (s *Set) Labels(p *Post) core.Labels { return s.labels.of(p.Labels) }

// PostOf is a post as this set would have it, which need not: nothing is known of what was done with it.
func (s *Set) PostOf(p core.Post) Post {
	return Post{
		ID: p.ID, Author: p.AuthorID, Created: p.CreatedAt.UnixMicro(), Audience: p.Audience, Group: p.Group,
		Labels: s.LabelSet(p.Labels),
	}
}

// LabelSet is the number by which a post of this set has labels.
func (s *Set) LabelSet(labels core.Labels) LabelSet { return s.labels.number(labels) }
