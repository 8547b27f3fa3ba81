package feed

import (
	"context"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// MaxDryRun bounds the users of a dry run.
const MaxDryRun = 50

// DryRun shows what another ranking would change, for some users.
type DryRun struct {
	Users   []DryRunUser `json:"users"`
	Overlap float64      `json:"overlap"` // mean share of the first page that stays on it
	Moved   float64      `json:"moved"`   // mean number of places by which a post that stays moves
}

// DryRunUser is one user's first page before and after.
type DryRunUser struct {
	User    core.ID   `json:"user"`
	Before  []core.ID `json:"before"`
	After   []core.ID `json:"after"`
	Overlap float64   `json:"overlap"`
	Moved   float64   `json:"moved"`
}

// DryRun makes the first pages of users with the ranking in force and with another. Without users it
// takes those whom this replica served last.
func (f *Feed) DryRun(ctx context.Context, cfg rank.Config, users []core.ID) (DryRun, error) {
	if len(users) == 0 {
		users = f.lastServed(MaxDryRun / 5)
	}
	inForce := f.ranking.Get()
	other := &rank.Versioned{Version: inForce.Version, Config: cfg}
	var out DryRun
	for _, user := range users {
		before, err := f.tryPage(ctx, user, inForce)
		if err != nil {
			return out, err
		}
		after, err := f.tryPage(ctx, user, other)
		if err != nil {
			return out, err
		}
		one := DryRunUser{User: user, Before: before, After: after}
		one.compare()
		out.Users = append(out.Users, one)
		out.Overlap += one.Overlap / float64(len(users))
		out.Moved += one.Moved / float64(len(users))
	}
	return out, nil
}

func (u *DryRunUser) compare() {
	stayed, moved := 0, 0
	for place, post := range u.Before {
		if at := slices.Index(u.After, post); at >= 0 {
			stayed++
			moved += max(at-place, place-at)
		}
	}
	if stayed > 0 {
		u.Overlap, u.Moved = float64(stayed)/float64(len(u.Before)), float64(moved)/float64(stayed)
	}
}

// tryPage is a first page by a ranking, without side effects. It is computed: the candidates and the
// affinity of a cached entry are those of the ranking in force.
func (f *Feed) tryPage(ctx context.Context, user core.ID, ranking *rank.Versioned) ([]core.ID, error) {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: DefaultLimit})
	defer f.give(r)
	r.Ranking = ranking
	if _, err := f.tryOut(ctx, r); err != nil {
		return nil, err
	}
	if err := f.firstPage(ctx, r); err != nil {
		return nil, err
	}
	return r.posts(), nil
}

// tryOut computes what a request's page is made of, past the cache, and saves nothing.
func (f *Feed) tryOut(ctx context.Context, r *request) (*candidates.Built, error) {
	f.loadViewer(ctx, r)
	built, err := f.builder.TryOut(ctx, r.User, r.state, r.Ranking)
	if err != nil {
		return nil, core.Unavailable("the ranked feed", time.Second, err)
	}
	f.useBuilt(ctx, r, built)
	return built, nil
}

// lastServed are the users of the latest sessions.
func (f *Feed) lastServed(most int) []core.ID {
	var users []core.ID
	keys := f.orders.local.Keys()
	for i := len(keys) - 1; i >= 0 && len(users) < most; i-- {
		if !slices.Contains(users, keys[i].user) {
			users = append(users, keys[i].user)
		}
	}
	return users
}
