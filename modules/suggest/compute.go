package suggest

import (
	"context"
	"fmt"
	"slices"

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
	for _, e := range edges {
		related[e.Other] = true
	}
	seeds, err := s.seeds(ctx, user, edges)
	if err != nil {
		return nil, err
	}
	found, err := s.gather(ctx, user, seeds)
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
	gone, err := s.deleted.among(ctx, usersOf(items))
	if err != nil {
		return nil, err
	}
	for _, id := range gone {
		out[id] = true
	}
	items = slices.DeleteFunc(items, func(item Item) bool { return out[item.User] })
	return items[:min(maxItems, len(items))], nil
}

// seeds are the followees who speak for others, the newest: nobody who is blocked either way, muted or gone. They
// would be named, or counted, as a reason.
func (s *Service) seeds(ctx context.Context, user core.ID, edges []Edge) ([]core.ID, error) {
	barred := map[core.ID]bool{user: true}
	for _, e := range edges {
		if !e.Follows {
			barred[e.Other] = true
		}
	}
	var seeds []core.ID
	for _, e := range edges {
		if len(seeds) < s.cfg.Seeds && !barred[e.Other] {
			seeds = append(seeds, e.Other)
			barred[e.Other] = true // once
		}
	}
	out := map[core.ID]bool{}
	if len(edges) >= s.cfg.MaxEdges && len(seeds) > 0 { // there may be more, of another kind
		more, err := s.source.Edges(ctx, user, seeds)
		if err != nil {
			return nil, fmt.Errorf("edges of %s: %w", user, err)
		}
		for _, e := range more {
			out[e.Other] = out[e.Other] || !e.Follows
		}
	}
	gone, err := s.deleted.among(ctx, seeds)
	if err != nil {
		return nil, err
	}
	for _, id := range gone {
		out[id] = true
	}
	return slices.DeleteFunc(seeds, func(id core.ID) bool { return out[id] }), nil
}

// newcomer follows fewer people than this. Whose posts they care for is never taken from memory: they may
// have begun this minute.
const newcomer = 5

// gather finds all that speaks for somebody.
func (s *Service) gather(ctx context.Context, user core.ID, seeds []core.ID) (*candidates, error) {
	circles := make(map[core.ID]Circle, len(seeds)+1)
	missing := s.circles.of(circles, seeds, s.cfg.Fresh)
	age := s.cfg.Fresh
	if len(seeds) < newcomer {
		age = 0
	}
	missing = append(missing, s.circles.of(circles, []core.ID{user}, age)...)
	if len(missing) > 0 {
		asked, whole, err := s.source.Circles(ctx, missing, s.circles.room())
		if err != nil {
			return nil, fmt.Errorf("candidates for %s: %w", user, err)
		}
		if whole {
			s.circles.add(asked, missing)
		}
		for _, id := range missing {
			circles[id] = asked[id]
		}
	}
	found := newCandidates()
	for _, seed := range seeds {
		found.near(seed, circles[seed])
	}
	circles[user].Each(func(core.ID) {}, func(act Act) { found.of(act.Author).engaged = act.Weight })
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
	found := newCandidates()
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
