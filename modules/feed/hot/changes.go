package hot

import (
	"sort"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Apply takes over committed changes, in their order. Changes that are not of posts are ignored.
func (s *Set) Apply(changes []core.Change) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changes {
		s.apply(&changes[i], now)
	}
	s.metrics.posts.Set(float64(s.index.len()))
}

func (s *Set) apply(change *core.Change, now time.Time) {
	post := &change.Post
	switch change.Kind {
	case core.PostPut:
		s.touch(post.ID, now)
		delete(s.unclear, post.ID)
		_, keptOut := post.Labels.First(s.keptOut)
		s.withdraw(post.ID, post.Visibility != core.Visible || post.Audience != core.Public || keptOut, now)
		if post.Visibility != core.Visible || post.Audience == core.Direct {
			s.remove(post.ID)
			return
		}
		if s.index.get(post.ID) == nil && !s.welcome(post.CreatedAt, now) {
			return
		}
		s.schedule(post.ID, post.CreatedAt.UnixMicro(), now)
		s.changed(post.AuthorID, post.Group)
		if p := s.index.get(post.ID); p != nil && p.Group != post.Group { // it left a group
			s.changed(p.Author, p.Group)
		}
		if s.index.put(post) {
			s.arrivals.add(arrival{
				ID: post.ID, Author: post.AuthorID, Group: post.Group, at: now.UnixMicro(),
				created: post.CreatedAt.UnixMicro(),
			})
			if _, suppressed := s.suppressionList.suppressed[post.ID]; suppressed { // hidden, and shown again
				s.suppress(s.index)
			}
		}
		if s.index.len() > s.cfg.MaxPosts {
			s.evict(s.cfg.MaxPosts - s.cfg.MaxPosts/64)
		}
	case core.PostDeleted:
		s.touch(post.ID, now)
		delete(s.unclear, post.ID)
		s.withdraw(post.ID, true, now)
		s.remove(post.ID)
	case core.PostUnclear:
		s.doubt(post.ID, now)
	case core.TableCleared:
		// Rows may have been written since, in other partitions: only ClickHouse, which weighs their
		// positions, can tell what is left.
		clear(s.touched)
		s.unsettled = now
		s.requestReload()
	case core.TableReread: // what the snapshot brought, we were told
		s.unsettled = now
		s.requestReload()
	case core.Followed, core.Unfollowed, core.Blocked, core.Unblocked, core.Muted, core.Unmuted,
		core.JoinedGroup, core.LeftGroup, core.HidPost, core.UnhidPost,
		core.UserGone, core.UserBack, core.UserUnclear:
	}
}

// remove takes a post out that is gone. The caller holds the lock.
func (s *Set) remove(id core.ID) {
	if p := s.index.get(id); p != nil {
		s.changed(p.Author, p.Group)
	}
	s.index.delete(id)
}

// welcome keeps an edit of a post of long ago from bringing it in. One that is here stays, with its new time,
// until it is too old.
func (s *Set) welcome(created, now time.Time) bool {
	return now.Sub(created) <= s.cfg.Window || s.index.len() < s.cfg.OlderPosts
}

// maxTouched bounds the memory of changes; beyond it, the reload is trusted sooner.
const maxTouched = 1 << 20

func (s *Set) touch(id core.ID, now time.Time) {
	if len(s.touched) >= maxTouched {
		s.forget(now.Add(-s.cfg.TrustChanges / 4))
	}
	if len(s.touched) < maxTouched {
		s.touched[id] = now
	}
}

// withdraw notes whether a post is not, or not for lists of everybody's, any more.
func (s *Set) withdraw(id core.ID, withdrawn bool, now time.Time) {
	switch {
	case !withdrawn:
		delete(s.withdrawn, id)
	case len(s.withdrawn) < maxTouched:
		s.withdrawn[id] = now
	}
}

// forget drops the memory of changes that we were told of before a time.
func (s *Set) forget(before time.Time) {
	for id, at := range s.touched {
		if at.Before(before) {
			delete(s.touched, id)
		}
	}
	for id, at := range s.withdrawn {
		if at.Before(before) {
			delete(s.withdrawn, id)
		}
	}
}

func (s *Set) requestReload() {
	select {
	case s.reload <- struct{}{}:
	default: // one is asked for already
	}
}

// maxReturned bounds the arrivals of one author who came back; entries get older posts with their next refresh.
const maxReturned = 30

// Return notes that an author's posts may be shown again: entries that were made meanwhile do not have them.
func (s *Set) Return(author core.ID) {
	now := s.clock.Now().UnixMicro()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed(author, 0)
	posts := s.index.byAuthor[author]
	for _, place := range posts[max(0, len(posts)-maxReturned):] {
		p := s.index.at(place)
		s.arrivals.add(arrival{ID: p.ID, Author: author, Group: p.Group, at: now, created: p.Created})
	}
}

// arrival is a post that became visible while we watched.
type arrival struct {
	ID     core.ID
	Author core.ID
	Group  core.ID // 0: none
	at     int64   // microseconds since 1970, by our clock

	created int64
}

// LateArrival is how long after it was made a post is still found among its author's or group's latest. What becomes
// visible later than that, such as a post that is moved to another group, is noted by itself: see LateSince.
const LateArrival = time.Hour

// arrivals are the latest ones: what a cached reserve cannot know of.
type arrivals struct {
	arrivalRing
	late arrivalRing // of them those that came later than LateArrival
}

func (a *arrivals) add(one arrival) {
	a.arrivalRing.add(one)
	if one.at-one.created > LateArrival.Microseconds() {
		a.late.add(one)
	}
}

type arrivalRing struct {
	ring []arrival
	n    int // in all
}

const maxArrivals = 1 << 14

func (a *arrivalRing) add(one arrival) {
	if a.n > 0 { // a load notes what came when it began
		one.at = max(one.at, a.ring[(a.n-1)%maxArrivals].at)
	}
	if len(a.ring) < maxArrivals {
		a.ring = append(a.ring, one)
	} else {
		a.ring[a.n%maxArrivals] = one
	}
	a.n++
}

// Arrivals is how many posts became visible at or after a time; all is false where this set may not know
// of each: it was not there yet, or there were too many since.
func (v View) Arrivals(since time.Time) (n int, all bool) {
	a, micros := &v.s.arrivals, since.UnixMicro()
	first := sort.Search(len(a.ring), func(i int) bool { return a.ring[(a.n-len(a.ring)+i)%maxArrivals].at >= micros })
	return len(a.ring) - first, v.s.watching <= micros && (first > 0 || a.n == len(a.ring))
}

// ArrivedSince calls f with the posts that became visible at or after a time, latest first, until it
// returns false.
func (v View) ArrivedSince(since time.Time, f func(id, author, group core.ID) bool) {
	v.s.arrivals.since(since, f)
}

// LateSince is ArrivedSince for the posts that became visible later than LateArrival. They are few.
func (v View) LateSince(since time.Time, f func(id, author, group core.ID) bool) {
	v.s.arrivals.late.since(since, f)
}

func (a *arrivalRing) since(since time.Time, f func(id, author, group core.ID) bool) {
	for i := a.n - 1; i >= max(0, a.n-len(a.ring)); i-- {
		one := &a.ring[i%maxArrivals]
		if one.at < since.UnixMicro() || !f(one.ID, one.Author, one.Group) {
			return
		}
	}
}
