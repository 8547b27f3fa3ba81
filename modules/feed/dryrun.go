package feed

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// maxDryRun bounds the users of a dry run.
const maxDryRun = 50

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

// dryRun makes the first pages of users with the ranking in force and with another. Without users it
// takes those whom this replica served last.
func (f *Feed) dryRun(ctx context.Context, cfg rank.Config, users []core.ID) DryRun {
	if len(users) == 0 {
		users = f.lastServed(maxDryRun / 5)
	}
	other := &rank.Versioned{Version: f.ranking.Get().Version, Config: cfg}
	var out DryRun
	for _, user := range users {
		one := DryRunUser{User: user, Before: f.tryPage(ctx, user, f.ranking.Get()), After: f.tryPage(ctx, user, other)}
		one.compare()
		out.Users = append(out.Users, one)
		out.Overlap += one.Overlap / float64(len(users))
		out.Moved += one.Moved / float64(len(users))
	}
	return out
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

// tryPage is a first page without side effects.
func (f *Feed) tryPage(ctx context.Context, user core.ID, ranking *rank.Versioned) []core.ID {
	r := f.take(Query{User: user, Algo: cursor.Ranked, Limit: defaultLimit})
	defer f.give(r)
	f.recall(ctx, r)
	if f.provide(ctx, r) != nil {
		return nil // there is too much to do for a try
	}
	r.ranking = ranking
	f.firstPage(ctx, r)
	posts := make([]core.ID, len(r.page))
	for i, at := range r.page {
		posts[i] = r.work.posts[at].post
	}
	return posts
}

// lastServed are the users of the latest sessions.
func (f *Feed) lastServed(most int) []core.ID {
	var users []core.ID
	keys := f.orders.Keys()
	for i := len(keys) - 1; i >= 0 && len(users) < most; i-- {
		if !slices.Contains(users, keys[i].user) {
			users = append(users, keys[i].user)
		}
	}
	return users
}
