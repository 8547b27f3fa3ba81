package feed_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/test/wait"
)

// embargoed are the posts that the added filter rejects: all of author 2, and no others.
var embargoed = []core.ID{102, 202, 302}

// embargo is a world with one filter more, which can be switched on.
type embargo struct {
	*world
	on        atomic.Bool
	name      string     // of the filter that rejects
	audience  bool       // they are embargoed by their audience
	own       bool       // the viewers do it, which takes their entries out of use
	changed   func(bool) // carries the switch out; nil: the filter looks at it
	strangers bool       // the viewers do not follow the author
	followers bool       // it does not hold for followers, who go on to see the posts
}

// ofFollowees are the paths on which strangers' posts never come, or came with the page before.
var ofFollowees = []string{
	"timeline", "timeline of PostgreSQL", "count of new posts", "later page, visible by PostgreSQL",
	"timeline in place of a feed",
}

// ofAll are the paths whose viewer follows nobody, and the lists that are the same for everybody; and one where the
// posts of the author, beside the one that the first page had, are so old that only such a list brings them.
var ofAll = []string{
	"later page, the order lost",
	"computed for who follows nobody", "trending", "trending in a week",
	"trending, on demand", "latest posts of all", "published lists",
}

// turn switches the embargo.
func (e *embargo) turn(on bool) {
	e.t.Helper()
	e.on.Store(on)
	if e.changed != nil {
		e.changed(on)
	}
}

// obeys holds that a path shows an embargoed post without the filter, and none with it.
func (e *embargo) obeys(path string, show func() []core.ID) {
	e.t.Helper()
	if e.strangers && slices.Contains(ofFollowees, path) {
		return
	}
	e.turn(false)
	require.NotEmpty(e.t, overlap(embargoed, show()), "%s: without the filter", path)
	e.turn(true)
	if e.followers && !slices.Contains(ofAll, path) {
		require.NotEmpty(e.t, overlap(embargoed, show()), "%s: followers have them as before", path)
		e.turn(false)
		return
	}
	require.Empty(e.t, overlap(embargoed, show()), "%s: with the filter", path)
	e.turn(false)
}

// from asks for a page that must come from somewhere.
func (e *embargo) from(servedFrom string, user int, query string) func() []core.ID {
	return func() []core.ID {
		e.t.Helper()
		p := e.get(user, query)
		if e.own && servedFrom == "cache" && p.ServedFrom == "clickhouse" { // from the entry that was made of it, then
			p = e.cached(user, query)
		}
		require.Equal(e.t, servedFrom, p.ServedFrom)
		return p.posts()
	}
}

// fresh leaves a user with an entry that was computed without the filter.
func (e *embargo) fresh(user int) {
	e.t.Helper()
	e.do(http.MethodDelete, 1, fmt.Sprint("/admin/v1/cache/", user), "")
	e.cached(user, "")
}

// later gives all posts behind a cursor.
func (e *embargo) later(cursor string) (posts []core.ID) {
	e.t.Helper()
	for cursor != "" {
		p := e.get(1, "limit=2&"+cursor)
		posts = append(posts, p.posts()...)
		cursor = p.next()
	}
	return posts
}

// TestAFilterThatIsAddedHoldsOnEveryPath adds a filter, once by post and once by author, and goes through all paths by
// which a post reaches a viewer: each must have shown a post before, and must not once the filter is there.
func TestAFilterThatIsAddedHoldsOnEveryPath(t *testing.T) {
	t.Run("by post", func(t *testing.T) {
		testEveryPath(t, func(on *atomic.Bool) filters.Filter {
			return filters.Filter{Post: func(_ *filters.Viewer, p filters.Post) bool {
				return on.Load() &&
					p.ID%100 == 2
			}}
		})
	})
	t.Run("by author", func(t *testing.T) {
		testEveryPath(t, func(on *atomic.Bool) filters.Filter {
			return filters.Filter{Author: func(_ *filters.Viewer, a reserve.Author) bool {
				return on.Load() &&
					a.ID == 2
			}}
		})
	})
}

func testEveryPath(t *testing.T, filter func(on *atomic.Bool) filters.Filter) {
	e := &embargo{world: newWorld(t, 20), name: "embargoed"}
	added := filter(&e.on)
	added.Name = e.name
	added.Detail = func(*filters.Viewer, reserve.Author) string { return "the post is under embargo" }
	e.filters = append(filters.All(), added)
	e.start()
	e.everyPath()
}

// TestAnAudienceHoldsOnEveryPath makes posts of others than the viewer's, and public again, in the app's database, in
// ClickHouse and in what the hot set hears, and goes through all paths.
func TestAnAudienceHoldsOnEveryPath(t *testing.T) {
	for name, audience := range map[string]core.Audience{
		"direct": core.Direct, "for mutuals": core.Mutuals, "for members": core.Members, // the author follows nobody
	} {
		t.Run(name, func(t *testing.T) { testAudienceOnEveryPath(t, audience) })
	}
}

func testAudienceOnEveryPath(t *testing.T, restricted core.Audience) {
	e := &embargo{world: newWorld(t, 20), name: "audience", audience: true}
	e.withAudiences()
	e.changed = func(on bool) {
		audience := core.Public
		if on {
			audience = restricted
		}
		for _, post := range embargoed {
			e.setGroup(int(post), audience, 2)
		}
		if !on && e.hot.Loaded() { // what counts of a post that is back comes with the next reading
			e.load()
		}
	}
	e.everyPath()
}

// TestWhatTheAppsTableHidesIsHiddenOnEveryPath has everybody hide posts in the app's own table, and take that back, and
// goes through all paths.
func TestWhatTheAppsTableHidesIsHiddenOnEveryPath(t *testing.T) {
	const users = 20
	e := &embargo{world: newWorld(t, users), name: "hidden", own: true}
	e.withHides()
	hidden := false
	e.changed = func(on bool) {
		if on == hidden {
			return
		}
		hidden = on
		for user := 1; user <= users; user++ {
			for _, post := range embargoed {
				if on {
					e.hide(user, int(post))
				} else {
					e.unhide(user, int(post))
				}
			}
		}
	}
	e.everyPath()
}

// TestWhatIsDatedAheadIsHeldBackOnEveryPath dates posts ahead, and back, in the app's database, in ClickHouse and in what
// the hot set hears, and goes through all paths.
func TestWhatIsDatedAheadIsHeldBackOnEveryPath(t *testing.T) {
	e := &embargo{world: newWorld(t, 20), name: "dated_ahead"}
	dated := map[core.ID]time.Time{}
	e.changed = func(on bool) {
		for _, post := range embargoed {
			if _, known := dated[post]; !known {
				dated[post] = e.createdAt(post)
			}
			at := dated[post]
			if on {
				at = e.clock.Now().Add(10 * time.Minute)
			}
			if !at.IsZero() {
				e.redate(post, 2, at)
			}
			if at.IsZero() {
				delete(dated, post) // it is not there yet
			}
		}
		if !on && e.hot.Loaded() {
			e.load()
		}
	}
	e.everyPath()
}

// TestWhoOptsOutIsRecommendedOnNoPath has an author opt out of being recommended, and back in, in the app's database, in
// ClickHouse and in what replicas hear, and goes through all paths: as somebody who does not follow them, and as a
// follower, who has their posts as before.
func TestWhoOptsOutIsRecommendedOnNoPath(t *testing.T) {
	for _, followers := range []bool{false, true} {
		t.Run(fmt.Sprint("followers ", followers), func(t *testing.T) {
			e := &embargo{
				world: newWorld(t, 20), name: "audience", followers: followers, strangers: !followers,
			}
			e.withOptOut()
			e.changed = func(on bool) {
				e.optOut(2, on)
				if e.hot.Loaded() { // lists are made now and then
					e.load()
				}
			}
			e.everyPath()
		})
	}
}

func (e *embargo) everyPath() {
	for user := 1; user <= 8; user++ {
		e.follow(user, 3, 4)
		if !e.strangers {
			e.follow(user, 2)
		}
	}
	for author := 2; author <= 4; author++ {
		e.post(100+author, author, time.Duration(author)*time.Hour)
		e.post(200+author, author, 100*time.Hour) // older than the hot set's window
	}
	e.engage(102, 2, 100, 30)
	e.load()

	e.wellServed()
	e.withoutClickHouse()
	e.onDemand()
	e.withoutHotSet()
}

// wellServed are the paths while all servers are there.
func (e *embargo) wellServed() {
	anew := func(user int, from string) func() []core.ID {
		return func() []core.ID {
			e.do(http.MethodDelete, 1, fmt.Sprint("/admin/v1/cache/", user), "")
			return e.from(from, user, "")()
		}
	}
	e.obeys("computed", anew(1, "clickhouse"))
	e.obeys("computed for who follows nobody", anew(9, "clickhouse"))
	e.fresh(1)
	e.obeys("cached", e.from("cache", 1, ""))

	first := e.get(1, "limit=1").next()
	e.obeys("later page", func() []core.ID { return e.later(first) })
	e.obeys("later page, the order lost", func() []core.ID { e.loseEverything(); return e.later(first) })

	e.fresh(1)
	e.post(302, 2, 0)
	e.obeys("arrived since", e.from("cache", 1, ""))
	e.obeys("timeline", e.from("cache", 1, "algo=timeline"))
	e.obeys("timeline of PostgreSQL", e.from("cache", 1, "algo=timeline&limit=100"))
	e.obeys("trending", func() []core.ID { return e.list(1, "/api/v1/feed/trending").posts() })
	e.obeys("trending in a week", func() []core.ID { return e.list(1, "/api/v1/feed/trending?window=7d").posts() })

	since := "/api/v1/feed?since=" + url.QueryEscape(e.clock.Now().Add(-10*time.Minute).Format(time.RFC3339Nano))
	e.obeys("count of new posts", func() (waiting []core.ID) {
		status, body := e.call(1, since)
		require.Equal(e.t, http.StatusOK, status, string(body))
		var count struct {
			NewPosts int `json:"new_posts"`
		}
		require.NoError(e.t, json.Unmarshal(body, &count))
		if count.NewPosts > 0 {
			waiting = append(waiting, 302)
		}
		return waiting
	})

	e.event(8, core.ActionView, 102, 103, 104, 202, 203, 204, 302)
	e.obeys("seen before", anew(8, "clickhouse"))

	e.turn(true)
	why := e.whyNot(1, 102)
	if e.followers {
		require.Equal(e.t, "shown", why.Verdict)
		e.turn(false)
		return
	}
	require.Equal(e.t, []string{"dropped", "filters", e.name}, []string{why.Verdict, why.Stage, why.Rule})
	require.NotEmpty(e.t, why.Detail)
	counted := e.name
	if e.audience { // who made direct what a page held
		counted = "not_visible"
	}
	require.Positive(e.t, e.counter("feedrank_feed_filtered_total", counted))
	e.turn(false)
}

// withoutClickHouse are the paths on which the graph is an old one, PostgreSQL's, or unknown.
func (e *embargo) withoutClickHouse() {
	e.fresh(1)
	e.away.clickhouse.closed.Store(true)
	e.clock.advance(50 * time.Minute)
	e.obeys("stale", e.from("stale", 1, ""))
	e.obeys("with PostgreSQL's graph", e.from("postgres", 5, ""))
	e.away.postgres.closed.Store(true)
	e.obeys("trending in place of a feed", e.from("trending", 6, ""))
	e.away.postgres.closed.Store(false)
	e.back()
}

// onDemand are the paths of a replica whose hot set is not loaded, while ClickHouse can be asked.
func (e *embargo) onDemand() {
	e.publish(nil, hot.Post{ID: 302, Author: 2, Created: e.clock.Now().Add(-time.Hour).UnixMicro()})
	e.start()
	wait.Until(e.t, func() bool { return len(e.list(1, "/api/v1/feed/trending").Items) > 0 })
	e.obeys("on demand", func() []core.ID {
		e.do(http.MethodDelete, 1, "/admin/v1/cache/1", "")
		return e.from("clickhouse", 1, "")()
	})
	e.fresh(1)
	e.obeys("on demand, cached", e.from("cache", 1, ""))
	e.obeys("trending, on demand", func() []core.ID { return e.list(1, "/api/v1/feed/trending?window=7d").posts() })
}

// withoutHotSet are the paths of such a replica while ClickHouse is away, too.
func (e *embargo) withoutHotSet() {
	first := e.cached(1, "limit=1").next()
	e.away.clickhouse.closed.Store(true)
	e.obeys("an entry in its own order", e.from("cache", 1, ""))
	e.obeys("later page, visible by PostgreSQL", func() []core.ID { return e.later(first) })
	e.obeys("timeline in place of a feed", e.from("postgres", 7, ""))
	e.obeys("latest posts of all", e.from("postgres", 12, ""))
	e.away.postgres.closed.Store(true)
	e.obeys("published lists", func() []core.ID { e.flush(); return e.from("trending", 13, "")() })
}
