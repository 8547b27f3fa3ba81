package hot

import (
	"context"
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Of some changes only ClickHouse can tell what they mean: whether a repair counts, or which of two is the last
// that have no order. So these posts are looked up, first when the consumer should have written them, and again
// in case that it was late. What we are told for certain meanwhile is younger.

// unclearSteps are when a post is looked up after we heard that it may have changed.
var unclearSteps = []time.Duration{
	150 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 2 * time.Second, 5 * time.Second,
	15 * time.Second, time.Minute,
}

const (
	unclearTick = 100 * time.Millisecond
	unclearMany = 4000    // are looked up at once
	maxUnclear  = 1 << 17 // beyond, everything is loaded anew
	// toldLately is how long the consumer may be behind what we were told: what was deleted is not brought back
	// by a copy that has not heard of it.
	toldLately = 5 * time.Second
)

// unclear is a post of which something was heard at a time.
type unclear struct {
	heard time.Time
	step  int
}

// byID looks posts up; a source may be able to.
type byID interface {
	PostsByID(ctx context.Context, ids []core.ID, add func(core.Post)) error
}

// doubt notes that a post may have changed. The caller holds the lock.
func (s *Set) doubt(id core.ID, now time.Time) {
	if _, ok := s.unclear[id]; !ok && len(s.unclear) >= maxUnclear {
		s.unsettled = now
		s.requestReload()
		return
	}
	s.unclear[id] = unclear{heard: now}
}

// Resolve looks up the posts that may have changed and are due.
func (s *Set) Resolve(ctx context.Context) error {
	source, ok := s.source.(byID)
	ids, asked := s.dueUnclear(s.clock.Now())
	if !ok || len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.LoadTimeout)
	defer cancel()
	found := make(map[core.ID]core.Post, len(ids))
	if err := source.PostsByID(ctx, ids, func(p core.Post) { found[p.ID] = p }); err != nil {
		return fmt.Errorf("look up %d posts that may have changed: %w", len(ids), err)
	}
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, id := range ids {
		if s.unclear[id] != asked[i] { // we were told since
			continue
		}
		post, visible := found[id]
		s.resolved(id, post, visible, asked[i].heard, now)
		if next := (unclear{asked[i].heard, asked[i].step + 1}); next.step < len(unclearSteps) {
			s.unclear[id] = next
		} else {
			delete(s.unclear, id)
		}
	}
	s.metrics.posts.Set(float64(s.index.len()))
	s.metrics.unclear.Set(float64(len(s.unclear)))
	return nil
}

// dueUnclear are posts to look up now, a bounded number of them.
func (s *Set) dueUnclear(now time.Time) (ids []core.ID, asked []unclear) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, u := range s.unclear {
		if len(ids) < unclearMany && now.Sub(u.heard) >= unclearSteps[u.step] {
			ids, asked = append(ids, id), append(asked, u)
		}
	}
	return ids, asked
}

// resolved takes over what a post is. The caller holds the lock.
func (s *Set) resolved(id core.ID, post core.Post, visible bool, heard, now time.Time) {
	have := s.index.get(id)
	switch {
	case visible && have != nil && have.Author == post.AuthorID && have.Created == post.CreatedAt.UnixMicro() &&
		have.Audience == post.Audience && have.Group == post.Group && s.labels.of(have.Labels) == post.Labels:
	case visible && have == nil && heard.Sub(s.touched[id]) < toldLately && now.Sub(heard) < toldLately:
	case visible:
		s.apply(&core.Change{Kind: core.PostPut, Post: post}, now)
	case have != nil:
		s.apply(&core.Change{Kind: core.PostDeleted, Post: core.Post{ID: id}}, now)
	}
}

// resolve looks posts up as long as ctx lasts.
func (s *Set) resolve(ctx context.Context) error {
	tick := time.NewTicker(unclearTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if s.Unclear() > 0 {
				s.step("resolve", func() error { return s.Resolve(ctx) })
			}
		}
	}
}

// Unclear is how many posts may have changed and are looked up.
func (s *Set) Unclear() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.unclear)
}
