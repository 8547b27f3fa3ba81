// Package collude measures how far accounts that act together move a post: in trending, and in the feed of a
// stranger who follows nobody, which takes all of its posts from the lists of everybody.
package collude

import (
	"cmp"
	"context"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

// scene is a world's last day as the hot set reads it: each person counts once for a post in each kind of
// reaction, as the consumer of events decides (modules/events).
type scene struct {
	now    time.Time
	posts  []core.Post
	counts map[core.ID]*[3]core.Engagement
	stands map[stand]bool
}

type stand struct {
	user, post core.ID
	action     core.Action
}

func newScene(now time.Time) *scene {
	return &scene{now: now, counts: map[core.ID]*[3]core.Engagement{}, stands: map[stand]bool{}}
}

func (s *scene) Now() time.Time { return s.now }

// did counts an event of the last 24 hours.
func (s *scene) did(user, post core.ID, action core.Action, at time.Time) {
	hour := s.now.Truncate(time.Hour)
	if at.Before(hour.Add(-23 * time.Hour)) {
		return
	}
	age := hot.Past
	if !at.Before(hour) {
		age = hot.Current
	} else if !at.Before(hour.Add(-time.Hour)) {
		age = hot.Previous
	}
	c := s.counts[post]
	if c == nil {
		c = &[3]core.Engagement{}
		s.counts[post] = c
	}
	key := stand{user, post, action}
	switch action {
	case core.ActionImpression:
		c[age].Exposures++
		return
	case core.ActionLike, core.ActionComment, core.ActionShare:
		if s.stands[key] {
			return
		}
		s.stands[key] = true
	default:
		return
	}
	switch action {
	case core.ActionLike:
		c[age].Likes++
	case core.ActionComment:
		c[age].Comments++
	default:
		c[age].Shares++
	}
}

func (s *scene) Posts(_ context.Context, since time.Time, _ int, add func(core.Post)) error {
	for _, p := range s.posts {
		if !p.CreatedAt.Before(since) {
			add(p)
		}
	}
	return nil
}

func (s *scene) OlderPosts(context.Context, time.Time, int, func(core.Post)) error { return nil }

func (s *scene) Engagement(_ context.Context, _, _ time.Time, add func(core.ID, hot.Age, core.Engagement)) error {
	for id, all := range s.counts {
		for age, e := range all {
			add(id, hot.Age(age), e)
		}
	}
	return nil
}

func (s *scene) EngagementLately(ctx context.Context, since, hour time.Time, _ time.Duration,
	add func(core.ID, hot.Age, core.Engagement),
) error {
	return s.Engagement(ctx, since, hour, add)
}

// fill takes a seeded world.
func (s *scene) fill(t *testing.T, scale string) {
	t.Helper()
	opts, err := world.Scale(scale)
	require.NoError(t, err)
	opts.Now = s.now
	w, err := world.New(opts)
	require.NoError(t, err)
	for p := range w.Posts() {
		if p.DeletedAt == nil {
			s.posts = append(s.posts, core.Post{ID: p.ID, AuthorID: p.AuthorID, CreatedAt: p.CreatedAt})
		}
	}
	for session := range w.Sessions() {
		for i := range session {
			s.did(session[i].UserID, session[i].PostID, session[i].Action, session[i].OccurredAt)
		}
	}
}

// places are where the post stands, from 1; 0: nowhere.
type places struct{ hour, day, popular, feed int }

const (
	target  core.ID = 1 << 40
	rotten  core.ID = 1 << 41 // the author
	sybil   core.ID = 1 << 42 // the first of the accounts
	minutes         = 5       // since the post was made
)

// attack has accounts do all they can for a new post, and tells where it stands. seen is how many exposures
// each of them forges as well, so that the rate looks honest.
func (s *scene) attack(t *testing.T, accounts, seen int) places {
	t.Helper()
	made := s.now.Add(-minutes * time.Minute)
	s.posts = append(s.posts, core.Post{ID: target, AuthorID: rotten, CreatedAt: made})
	defer func() { s.posts = s.posts[:len(s.posts)-1]; delete(s.counts, target) }()
	for i := range accounts {
		user := sybil + core.ID(i)
		for range 28 { // whatever is sent again counts once
			for _, a := range []core.Action{core.ActionLike, core.ActionComment, core.ActionShare} {
				s.did(user, target, a, s.now)
				defer delete(s.stands, stand{user, target, a})
			}
		}
		for range seen {
			s.did(user, target, core.ActionImpression, s.now)
		}
	}
	return s.find(t, target)
}

func (s *scene) find(t *testing.T, post core.ID) places {
	t.Helper()
	cfg := hot.DefaultConfig()
	ranking := rank.NewLive(rank.DefaultConfig())
	set := hot.New(cfg, s, ranking, s, hot.NewMetrics(prometheus.NewRegistry()), zap.NewNop())
	require.NoError(t, set.Load(context.Background()))
	lists := set.Lists()
	at := func(list []hot.Ranked) int {
		return 1 + slices.IndexFunc(list, func(r hot.Ranked) bool { return r.Post.ID == post })
	}
	return places{at(lists.Hour), at(lists.Day), at(lists.Popular), s.stranger(lists, &ranking.Get().Config, post)}
}

// stranger is where a post stands in the feed of somebody who follows nobody: trending and popular posts by
// freshness and engagement.
func (s *scene) stranger(lists *hot.Lists, ranking *rank.Config, post core.ID) int {
	type scored struct {
		id    core.ID
		score float64
	}
	var feed []scored
	known := map[core.ID]bool{}
	for _, list := range [][]hot.Ranked{
		lists.Day[:min(200, len(lists.Day))],
		lists.Popular[:min(200, len(lists.Popular))],
	} {
		for i := range list {
			if p := &list[i].Post; !known[p.ID] {
				known[p.ID] = true
				feed = append(feed, scored{
					p.ID,
					ranking.Score(rank.Terms{
						Freshness:  ranking.Freshness(p.Age(s.now)),
						Engagement: ranking.EngagementTerm(p.Day()),
					}),
				})
			}
		}
	}
	slices.SortStableFunc(feed, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	return 1 + slices.IndexFunc(feed, func(p scored) bool { return p.id == post })
}

// place is a place that counts: nowhere is far away.
func place(n int) int {
	if n == 0 {
		return math.MaxInt
	}
	return n
}

// describe logs what honest posts have: the first of trending, and how many pass which floor.
func (s *scene) describe(t *testing.T) {
	t.Helper()
	var people []int64
	reactions := int64(0)
	var v rank.Versioned
	for _, all := range s.counts {
		e := all[0].Add(all[1]).Add(all[2])
		people, reactions = append(people, v.People(e)), reactions+v.Reactions(e)
	}
	cfg := rank.DefaultConfig()
	slices.SortFunc(people, func(a, b int64) int { return cmp.Compare(b, a) })
	t.Logf("%d reactions to %d posts, floor %d; people of the 1st, 10th, 100th, 200th, 400th, 1000th post: %d %d %d %d %d %d", reactions, len(people),
		cfg.Floor(reactions), people[0], people[9], people[99], people[199], people[399], people[999])
	set := hot.New(hot.DefaultConfig(), s, rank.NewLive(cfg), s, hot.NewMetrics(prometheus.NewRegistry()), zap.NewNop())
	require.NoError(t, set.Load(context.Background()))
	for i, r := range set.Lists().Day[:10] {
		t.Logf("trending %d: %.2f, %s old, %+v", i+1, r.Value,
			s.now.Sub(time.UnixMicro(r.Post.Created)).Truncate(time.Minute), r.Post.Day())
	}
}

func TestColludingAccountsDoNotMoveAPost(t *testing.T) {
	scale := cmp.Or(os.Getenv("FEEDRANK_COLLUDE_SCALE"), world.Tenth)
	s := newScene(time.Date(2026, 5, 1, 18, 40, 0, 0, time.UTC))
	s.fill(t, scale)
	s.describe(t)
	idle := s.attack(t, 0, 0)
	t.Logf("%s: nobody does anything: %+v", scale, idle)
	for _, accounts := range []int{1, 3, 10, 100} {
		for _, seen := range []int{0, 1, 20} {
			got := s.attack(t, accounts, seen)
			t.Logf("%s: %3d accounts, %2d exposures each: %+v", scale, accounts, seen, got)
			if scale == world.Reference && accounts <= 10 {
				require.Greater(t, place(got.feed), min(20, place(idle.feed)-1),
					"%d accounts, the first 20 of a stranger's feed", accounts)
			}
			if scale == world.Reference || accounts <= 10 {
				require.Greater(t, min(place(got.day), place(got.hour)), 10, "%d accounts, the first 10 of trending",
					accounts)
			}
		}
	}
}

// TestASmallCommunitysTenLikesCount has fifty people and a few posts.
func TestASmallCommunitysTenLikesCount(t *testing.T) {
	s := newScene(time.Date(2026, 5, 1, 18, 40, 0, 0, time.UTC))
	for post := core.ID(1); post <= 40; post++ {
		s.posts = append(s.posts, core.Post{
			ID: post, AuthorID: 1 + post%20,
			CreatedAt: s.now.Add(-time.Duration(post) * 30 * time.Minute),
		})
		for user := core.ID(1); user <= 12; user++ {
			s.did(user, post, core.ActionImpression, s.now)
		}
	}
	for user := core.ID(1); user <= 10; user++ {
		s.did(user, 30, core.ActionLike, s.now)
	}
	for user := core.ID(1); user <= 2; user++ { // two are not enough for the lists
		s.did(user, 31, core.ActionLike, s.now)
	}
	require.Equal(t, 1, s.find(t, 30).day)
	require.Zero(t, s.find(t, 31).day)
	require.Less(t, s.find(t, 30).popular, 30, "it stands before younger posts that nobody liked")
}
