package feed_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

// inGroups is a world in which user 1 follows 2 and many who never post, and is a member of group 7 and of none else.
// Nothing is popular or trending, so that what else a page has is from followees and groups.
func inGroups(t *testing.T, change ...func(*feed.Config)) *world {
	w := newWorld(t, 20, append(change, func(c *feed.Config) {
		c.Sources.Popular.Limit, c.Sources.Trending.Limit = 0, 0
	})...)
	w.withAudiences()
	w.follow(1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19) // more than posts arrive: each arrival is looked at
	w.join(1, 7)
	w.post(102, 2, time.Hour)
	for post, group := range map[int]int{103: 7, 104: 8, 105: 7} {
		w.post(post, post-100, time.Duration(post-100)*time.Hour)
		w.setGroup(post, core.Public, group)
	}
	w.block(1, 5)
	w.load()
	w.clock.advance(10 * time.Second) // an entry that is computed from now on knows all that came before
	return w
}

// fromGroups are the posts of a page that groups gave, and those of followees.
func (p page) fromGroups() (groups, followees []core.ID) {
	for _, item := range p.Items {
		switch item.Source {
		case "groups":
			groups = append(groups, item.Post)
		case "followees":
			followees = append(followees, item.Post)
		}
	}
	return groups, followees
}

func TestAMemberGetsThePostsOfStrangersInTheirGroups(t *testing.T) {
	w := inGroups(t)
	check := func(p page, from string, want ...core.ID) {
		t.Helper()
		require.Equal(t, from, p.ServedFrom)
		groups, followees := p.fromGroups()
		require.Equal(t, []core.ID{102}, followees)
		require.ElementsMatch(t, want, groups, "not of group 8, and not by whom they block")
	}
	check(w.get(1, ""), "clickhouse", 103)
	check(w.cached(1, ""), "cache", 103)
	require.Equal(t, []core.ID{102, 103}, w.get(1, "algo=timeline").posts())

	w.post(106, 6, time.Minute)
	w.setGroup(106, core.Members, 7)
	check(w.get(1, ""), "cache", 103, 106)
	require.Equal(t, []core.ID{106, 102, 103}, w.get(1, "algo=timeline").posts())
	groups, _ := w.get(9, "").fromGroups()
	require.Empty(t, groups, "user 9 is in no group")

	status, body := w.call(1, "/api/v1/feed?since="+w.clock.Now().Add(-30*time.Minute).Format(time.RFC3339Nano))
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"new_posts":1,"more":false}`, string(body), "post 106")

	w.setGroup(106, core.Public, 8)
	check(w.get(1, ""), "cache", 103)
	require.Equal(t, []core.ID{102, 103}, w.get(1, "algo=timeline").posts())

	w.setGroup(103, core.Public, 8)
	check(w.get(1, ""), "cache")
	w.setGroup(103, core.Public, 7)
	check(w.get(1, ""), "cache", 103)

	w.join(1, 8)
	check(w.get(1, ""), "clickhouse", 103, 104, 106)
	w.leave(1, 7)
	check(w.get(1, ""), "clickhouse", 104, 106)
	require.Equal(t, []core.ID{106, 102, 104}, w.get(1, "algo=timeline").posts())
}

func TestGroupsAreThereWhileServersAreAway(t *testing.T) {
	w := inGroups(t)
	w.post(106, 6, 8*24*time.Hour) // older than the hot set
	w.setGroup(106, core.Members, 7)
	w.post(107, 2, 9*24*time.Hour)
	require.Equal(t, []core.ID{102, 103, 106, 107}, w.get(1, "algo=timeline").posts())

	w.flush()
	w.start() // and its hot set is never loaded
	p := w.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom)
	groups, _ := p.fromGroups()
	require.Equal(t, []core.ID{103}, groups, "asked of ClickHouse for this page")

	w.load()
	w.flush()
	w.away.clickhouse.closed.Store(true)
	p = w.get(1, "")
	require.Equal(t, "postgres", p.ServedFrom)
	groups, _ = p.fromGroups()
	require.Equal(t, []core.ID{103}, groups)

	w.away.clickhouse.closed.Store(false)
	require.Equal(t, "cache", w.cached(1, "").ServedFrom)
	w.away.clickhouse.closed.Store(true)
	w.leave(1, 7)
	p = w.get(1, "")
	require.Contains(t, []string{"cache", "stale"}, p.ServedFrom, "an entry that cannot be computed anew obeys")
	groups, _ = p.fromGroups()
	require.Empty(t, groups)
	w.join(1, 7)
	w.join(1, 8)
	groups, _ = w.get(1, "").fromGroups()
	require.ElementsMatch(t, []core.ID{103, 104}, groups)
	w.leave(1, 8)

	w.away.redis.closed.Store(true)
	w.start()
	require.Equal(t, []core.ID{102, 103, 106, 107}, w.get(1, "algo=timeline").posts(), "all of PostgreSQL")
}

func TestGroupsAreExplainedAndCanBeSwitchedOff(t *testing.T) {
	w := inGroups(t, func(c *feed.Config) { c.Sources.Groups.PerAuthor = 1 })
	w.post(106, 6, time.Minute)
	w.setGroup(106, core.Public, 7)
	w.post(108, 8, 24*time.Hour)
	w.setGroup(108, core.Public, 7)
	for post := 110; post < 114; post++ { // or any post fills the page up
		w.post(post, 2, time.Minute)
	}
	w.clock.advance(10 * time.Second) // else they have only just arrived, and are looked at one by one
	verdict := w.whyNot(1, 108)
	require.Equal(t, "source_full", verdict.Rule)
	require.Contains(t, verdict.Detail, "at most 1 posts of a group")
	verdict = w.whyNot(1, 104)
	require.Equal(t, "no_source", verdict.Rule)
	require.Contains(t, verdict.Detail, "is in no group with the post")

	require.Contains(t, w.get(1, "algo=timeline").posts(), core.ID(106))
	w.cfg.Sources.Groups.Limit = 0
	w.start()
	w.load()
	w.do("DELETE", 1, "/admin/v1/cache/1", "")
	groups, _ := w.get(1, "").fromGroups()
	require.Empty(t, groups)
	require.Equal(t, []core.ID{113, 112, 111, 110, 102}, w.get(1, "algo=timeline").posts())
}

// TestAnOldPostThatIsMovedIntoAGroupReachesItsMembers does so while so many posts arrived that they are not looked at
// one by one.
func TestAnOldPostThatIsMovedIntoAGroupReachesItsMembers(t *testing.T) {
	w := inGroups(t)
	groups, _ := w.get(1, "").fromGroups()
	require.Equal(t, []core.ID{103}, groups)
	for post := range 40 {
		w.post(200+post, 6, 0) // of a stranger, in no group
	}
	w.setGroup(104, core.Public, 7)
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	groups, _ = p.fromGroups()
	require.ElementsMatch(t, []core.ID{103, 104}, groups)
}
