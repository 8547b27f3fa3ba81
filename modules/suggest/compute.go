package suggest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
)

// items asks the source for everybody who may be suggested to a user, best first. Every part of it is
// bounded, whoever the user and their followees are.
func (s *Service) items(ctx context.Context, user core.ID) ([]Item, error) {
	edges, err := s.source.Edges(ctx, user, nil)
	if err != nil {
		return nil, fmt.Errorf("edges of %s: %w", user, err)
	}
	related := make(map[core.ID]bool, len(edges))
	var seeds []core.ID
	for _, e := range edges {
		if e.Follows && len(seeds) < s.cfg.Seeds && !related[e.Other] && e.Other != user {
			seeds = append(seeds, e.Other)
		}
		related[e.Other] = true
	}
	found, err := s.gather(ctx, user, seeds, len(edges))
	if err != nil {
		return nil, err
	}
	barred := func(id core.ID) bool { return id == user || !id.Valid() || related[id] }
	items := found.rank(&s.cfg.Weights, 2*maxItems, barred)
	out := map[core.ID]bool{}
	if len(edges) >= s.cfg.MaxEdges { // there may be more: so these people are looked up one by one
		more, err := s.source.Edges(ctx, user, usersOf(items))
		if err != nil {
			return nil, fmt.Errorf("edges of %s: %w", user, err)
		}
		for _, e := range more {
			out[e.Other] = true
		}
	}
	gone, err := s.source.Gone(ctx, usersOf(items))
	if err != nil {
		return nil, fmt.Errorf("deleted users: %w", err)
	}
	for _, id := range gone {
		out[id] = true
	}
	known := state{barred: out}
	return known.without(user, items, maxItems), nil
}

// gather asks all that speaks for somebody at once.
func (s *Service) gather(ctx context.Context, user core.ID, seeds []core.ID, edges int) (candidates, error) {
	var followed, engaged, own []Counted
	// The best of a list may all be followed already: so many more are asked for.
	limit := 2*maxItems + edges
	asks, asking := errgroup.WithContext(ctx)
	if len(seeds) > 0 {
		asks.Go(func() (err error) {
			followed, err = s.source.Followed(asking, seeds, limit)
			return err
		})
		asks.Go(func() (err error) {
			engaged, err = s.source.Engaged(asking, seeds, limit)
			return err
		})
	}
	asks.Go(func() (err error) {
		own, err = s.source.Engaged(asking, []core.ID{user}, limit)
		return err
	})
	if err := asks.Wait(); err != nil {
		return nil, fmt.Errorf("candidates for %s: %w", user, err)
	}
	found := make(candidates, len(followed)+len(engaged)+len(own))
	for _, f := range followed {
		one := found.of(f.User)
		one.followedBy, one.followers = f.Count, f.Some
	}
	for _, e := range engaged {
		one := found.of(e.User)
		one.engagedBy, one.engagers = e.Count, e.Some
	}
	for _, o := range own {
		found.of(o.User).engaged = o.Done
	}
	for _, p := range s.popular.get(ctx) {
		found.of(p.User).popular = p.Count
	}
	return found, nil
}

// withoutSource suggests popular people, or those who posted lately, with what PostgreSQL says of the
// user. Without that nobody is suggested: it might be somebody whom they block.
func (s *Service) withoutSource(ctx context.Context, user core.ID) Answer {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Budget)
	defer cancel()
	edges, complete, err := s.fallback.Edges(ctx, user)
	if err != nil || !complete {
		return Answer{ServedFrom: FromNothing, Degraded: true}
	}
	related := make(map[core.ID]bool, len(edges))
	for _, e := range edges {
		related[e.Other] = true
	}
	found := candidates{}
	for _, p := range s.popular.get(ctx) {
		found.of(p.User).popular = p.Count
	}
	barred := func(id core.ID) bool { return id == user || !id.Valid() || related[id] }
	if items := found.rank(&s.cfg.Weights, maxItems, barred); len(items) > 0 {
		return Answer{Items: items, ServedFrom: FromPopular, Degraded: true}
	}
	active, err := s.fallback.Active(ctx, user)
	if err != nil {
		return Answer{ServedFrom: FromNothing, Degraded: true}
	}
	answer := Answer{ServedFrom: FromPostgres, Degraded: true}
	for _, id := range active {
		if !barred(id) && len(answer.Items) < maxItems {
			related[id] = true // once
			answer.Items = append(answer.Items, Item{User: id, Reason: Reason{Kind: Active}})
		}
	}
	return answer
}

func usersOf(items []Item) []core.ID {
	ids := make([]core.ID, len(items))
	for i := range items {
		ids[i] = items[i].User
	}
	return ids
}
