package hot

import (
	"cmp"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// expire drops the posts that left the window, but for the newest of them.
func (s *Set) expire() {
	now := s.clock.Now()
	edge := now.Add(-s.cfg.Window).UnixMicro()
	older := s.collect(func(p *Post) bool { return p.Created < edge })

	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(older, len(older)-s.cfg.OlderPosts)
	s.forget(now.Add(-s.cfg.TrustChanges))
	s.scheduled.forget(edge)
	s.observeSize()
}

// evict drops the oldest posts until at most size are left. The caller holds the lock.
func (s *Set) evict(size int) {
	all := make([]aged, 0, s.index.len())
	for place := range s.index.used {
		if p := s.index.at(place); p.ID != 0 {
			all = append(all, aged{p.ID, p.Created})
		}
	}
	s.metrics.evicted.Add(float64(s.drop(all, len(all)-size)))
}

type aged struct {
	id      core.ID
	created int64
}

// collect finds posts a page at a time, so that nobody waits long for the lock.
func (s *Set) collect(which func(*Post) bool) []aged {
	var found []aged
	s.eachPage(func(posts []Post) {
		for i := range posts {
			if p := &posts[i]; p.ID != 0 && which(p) {
				found = append(found, aged{p.ID, p.Created})
			}
		}
	})
	return found
}

// drop deletes the n oldest of some posts. The caller holds the lock.
func (s *Set) drop(posts []aged, n int) int {
	if n <= 0 {
		return 0
	}
	slices.SortFunc(posts, func(a, b aged) int { return cmp.Compare(a.created, b.created) })
	for _, p := range posts[:n] {
		s.index.delete(p.id)
	}
	return n
}

// eachPage calls f with the posts of one page after the other, each under the read lock. Places may
// be empty.
func (s *Set) eachPage(f func([]Post)) {
	for page := 0; ; page++ {
		more := func() bool {
			s.mu.RLock()
			defer s.mu.RUnlock()
			if page >= len(s.index.pages) {
				return false
			}
			f(s.index.pages[page])
			return true
		}()
		if !more {
			return
		}
	}
}

func (s *Set) observeSize() {
	s.metrics.posts.Set(float64(s.index.len()))
	s.metrics.bytes.Set(float64(s.index.bytes()))
	s.metrics.authors.Set(float64(len(s.index.byAuthor)))
}

// age is how long ago a moment was, for gauges; a moment that never was is not zero seconds ago.
func age(now time.Time, micros int64) float64 {
	if micros == 0 {
		return -1
	}
	return now.Sub(time.UnixMicro(micros)).Seconds()
}
