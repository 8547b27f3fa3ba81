package hot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Load reads everything anew and puts it in place of what is there. What changes said lately stands:
// ClickHouse may lag behind them.
func (s *Set) Load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.LoadTimeout)
	defer cancel()
	began := s.clock.Now()
	edge := began.Add(-s.cfg.Window)

	fresh := s.nextIndex()
	add := func(p core.Post) { fresh.put(&p) }
	if err := s.source.Posts(ctx, edge, s.cfg.MaxPosts, add); err != nil {
		return fmt.Errorf("load posts since %s: %w", edge.Format(time.RFC3339), err)
	}
	if room := min(s.cfg.OlderPosts, s.cfg.MaxPosts-fresh.len()); room > 0 {
		if err := s.source.OlderPosts(ctx, edge, room, add); err != nil {
			return fmt.Errorf("load posts before %s: %w", edge.Format(time.RFC3339), err)
		}
	}
	hour := began.Truncate(time.Hour)
	err := s.source.Engagement(ctx, dayBefore(hour), hour, func(id core.ID, age Age, e core.Engagement) {
		if p := fresh.get(id); p != nil {
			fresh.count(p, age, countsOf(e), dislikesOf(e))
			fresh.rate(p)
		}
	})
	if err != nil {
		return fmt.Errorf("load engagement: %w", err)
	}
	s.install(fresh, hour, began)
	s.rankLists()
	return nil
}

// dayBefore is the first of the 24 hours that end with hour.
func dayBefore(hour time.Time) time.Time { return hour.Add(-23 * time.Hour) }

// nextIndex is empty, with room for as much as there is.
func (s *Set) nextIndex() *index {
	s.mu.RLock()
	defer s.mu.RUnlock()
	fresh := newIndex(max(1024, s.index.len()), s.ranking.Get(), s.labels)
	fresh.enough = s.index.enough
	return fresh
}

// install swaps the index, with what we were told lately carried over from the old one.
func (s *Set) install(fresh *index, hour, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	trusted := began.Add(-s.cfg.TrustChanges)
	for id, at := range s.touched {
		if at.Before(trusted) {
			continue
		}
		if p := s.index.get(id); p == nil {
			fresh.delete(id)
		} else {
			fresh.put(s.index.asPost(p))
		}
	}
	if s.clock.Now().Sub(s.unsettled) < 2*settleFor {
		s.changed(0, 0)
	}
	if s.Loaded() {
		s.noteArrivals(fresh, began)
	} else {
		s.changed(0, 0)
		s.watching = began.UnixMicro()
	}
	s.reschedule(fresh, s.clock.Now())
	s.suppress(fresh)
	s.index, s.hour = fresh, hour
	s.loadedAt.Store(began.UnixMicro())
	s.engagementAt.Store(began.UnixMicro())
	s.observeSize()
}

// noteArrivals finds young posts that no change told us of.
func (s *Set) noteArrivals(fresh *index, now time.Time) {
	young := now.Add(-time.Hour).UnixMicro()
	for place := range fresh.used {
		p := fresh.at(place)
		if p.ID != 0 && p.Created > young && s.index.get(p.ID) == nil {
			s.arrivals.add(arrival{ID: p.ID, Author: p.Author, Group: p.Group, at: now.UnixMicro(), created: p.Created})
			s.changed(p.Author, p.Group)
		}
	}
}

// Refresh brings the engagement up to date: of what was written to the current hour since the last time, or
// of the whole day once an hour has passed or when asked.
func (s *Set) Refresh(ctx context.Context, wholeDay bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.LoadTimeout)
	defer cancel()
	began := s.clock.Now()
	hour := began.Truncate(time.Hour)
	s.mu.RLock()
	wholeDay = wholeDay || !hour.Equal(s.hour)
	s.mu.RUnlock()
	var rows []row
	add := func(id core.ID, age Age, e core.Engagement) {
		rows = append(rows, row{id: id, age: age, counts: countsOf(e), dislikes: dislikesOf(e)})
	}
	if wholeDay {
		if err := s.source.Engagement(ctx, dayBefore(hour), hour, add); err != nil {
			return fmt.Errorf("recount engagement of the day: %w", err)
		}
		s.recount(rows, hour)
	} else {
		since := hour
		if began.Sub(hour) < lateEvents {
			since = hour.Add(-time.Hour) // events that happened just before the hour are still coming in
		}
		within := began.Sub(time.UnixMicro(s.engagementAt.Load())) + writing
		if err := s.source.EngagementLately(ctx, since, hour, within, add); err != nil {
			return fmt.Errorf("refresh engagement since %s: %w", since.Format(time.RFC3339), err)
		}
		s.update(rows)
	}
	s.engagementAt.Store(began.UnixMicro())
	return nil
}

// writing is how long a write may take until it is seen: its rows say when it began. What takes longer, or is
// taken back, counts with the next recount of the whole day.
const writing = 10 * time.Second

// lateEvents is how long into an hour the hour before is read as well. Events that are later yet
// count with the next recount of the whole day.
const lateEvents = 5 * time.Minute

type row struct {
	id     core.ID
	age    Age
	counts counts

	dislikes int32
}

// rowsAtOnce bounds how long the lock is held: about 50 µs.
const rowsAtOnce = 1024

func (s *Set) update(rows []row) {
	var (
		ids   = make([]core.ID, 0, rowsAtOnce)
		posts = make([]*Post, 0, rowsAtOnce)
	)
	for some := range slices.Chunk(rows, rowsAtOnce) {
		ids = ids[:0]
		for i := range some {
			ids = append(ids, some[i].id)
		}
		s.mu.Lock()
		posts = s.index.getAll(posts[:0], ids)
		for i, p := range posts {
			r := &some[i]
			if p != nil && s.index.count(p, r.age, r.counts, r.dislikes) { // most have not changed
				s.index.rate(p)
			}
		}
		s.mu.Unlock()
	}
}

// recount replaces all counters: a post without a row has none.
func (s *Set) recount(rows []row, hour time.Time) {
	type day struct {
		counts   [3]counts
		dislikes [3]int32
	}
	byID := make(map[core.ID]day, len(rows))
	for _, r := range rows {
		all := byID[r.id]
		all.counts[r.age], all.dislikes[r.age] = r.counts, r.dislikes
		byID[r.id] = all
	}
	for page := 0; ; page++ {
		s.mu.Lock()
		if page >= len(s.index.pages) {
			s.hour = hour
			s.mu.Unlock()
			return
		}
		posts := s.index.pages[page]
		for i := range posts {
			if posts[i].ID != 0 {
				all := byID[posts[i].ID]
				for age := range all.counts {
					s.index.count(&posts[i], Age(age), all.counts[age], all.dislikes[age])
				}
				s.index.rate(&posts[i])
			}
		}
		s.mu.Unlock()
	}
}
