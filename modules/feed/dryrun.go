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
	Hits    *Hits        `json:"hits"`    // of all users; nil: what they engaged with is not known
}

// Hits are how many of the posts that a user liked, commented on or shared in the last day a first page would have, had
// they not seen any: of those that are still there. It says whether a ranking has on top what people care for.
type Hits struct {
	Engaged int `json:"engaged"`
	Before  int `json:"before"` // with the ranking in force
	After   int `json:"after"`
}

// Engaged tells which posts a user liked, commented on or shared since a time.
type Engaged interface {
	Engaged(ctx context.Context, user core.ID, since time.Time) ([]core.ID, error)
}

// DryRunUser is one user's first page before and after.
type DryRunUser struct {
	User    core.ID   `json:"user"`
	Before  []core.ID `json:"before"`
	After   []core.ID `json:"after"`
	Overlap float64   `json:"overlap"`
	Moved   float64   `json:"moved"`
	Hits    *Hits     `json:"hits"`
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
		one := DryRunUser{User: user}
		engaged, known := f.engagedWith(ctx, user)
		var err error
		hits := Hits{Engaged: len(engaged)}
		if one.Before, hits.Before, err = f.tryPages(ctx, user, inForce, engaged); err != nil {
			return out, err
		}
		if one.After, hits.After, err = f.tryPages(ctx, user, other, engaged); err != nil {
			return out, err
		}
		one.compare()
		if known {
			one.Hits = &hits
			out.Hits = out.Hits.plus(one.Hits)
		}
		out.Users = append(out.Users, one)
		out.Overlap += one.Overlap / float64(len(users))
		out.Moved += one.Moved / float64(len(users))
	}
	return out, nil
}

// tryPages is a first page by a ranking, and how many it would have of the posts that the user engaged with.
func (f *Feed) tryPages(ctx context.Context, user core.ID, ranking *rank.Versioned, engaged []core.ID,
) (page []core.ID, hits int, err error) {
	page, err = f.tryPage(ctx, user, ranking, f.clock.Now().Add(time.Hour))
	if err != nil || len(engaged) == 0 {
		return page, 0, err
	}
	unseen, err := f.tryPage(ctx, user, ranking, f.clock.Now().Add(-engagedFor))
	if err != nil {
		return nil, 0, err
	}
	for _, post := range engaged {
		if slices.Contains(unseen, post) {
			hits++
		}
	}
	return page, hits, nil
}

// engagedFor is how far back what users engaged with counts.
const engagedFor = 24 * time.Hour

// engagedWith are the posts that a user engaged with in the last day and that are still there; known is false where
// nobody can say.
func (f *Feed) engagedWith(ctx context.Context, user core.ID) (there []core.ID, known bool) {
	if f.engaged == nil {
		return nil, false
	}
	var posts []core.ID
	err := f.guards.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
		posts, err = f.engaged.Engaged(ctx, user, f.clock.Now().Add(-engagedFor))
		return err
	})
	if err != nil {
		return nil, false
	}
	set := f.hot.View()
	defer set.Close()
	for _, id := range posts {
		if p, ok := set.Post(id); ok && p.Author != user {
			there = append(there, id)
		}
	}
	return there, true
}

// plus adds those of one more user.
func (h *Hits) plus(o *Hits) *Hits {
	if h == nil {
		h = &Hits{}
	}
	return &Hits{h.Engaged + o.Engaged, h.Before + o.Before, h.After + o.After}
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
// affinity of a cached entry are those of the ranking in force. What the user saw from a time on does not count.
func (f *Feed) tryPage(ctx context.Context, user core.ID, ranking *rank.Versioned, seenUntil time.Time) ([]core.ID,
	error,
) {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: DefaultLimit})
	defer f.give(r)
	r.Ranking, r.seenUntil = ranking, seenUntil
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
