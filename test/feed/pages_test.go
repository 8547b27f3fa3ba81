package feed_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/token"
	"github.com/feedrank/feedrank/test/wait"
)

func TestPagesOfASessionNeitherRepeatNorSkipWhilePostsComeAndGo(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
	const posts, arriving = 220, 10
	for i := range posts {
		w.post(1000+i, 2+i%19, time.Duration(i)*15*time.Minute)
	}
	w.load()
	first := w.cached(1, "limit=10")
	seen := map[core.ID]bool{}
	deleted := map[core.ID]bool{}
	p, pages := first, 0
	for {
		pages++
		require.NotEmpty(t, p.Items)
		for _, id := range p.posts() {
			require.False(t, seen[id], "post %s comes twice", id)
			require.False(t, deleted[id], "post %s was deleted", id)
			require.Less(t, id, core.ID(2000), "what is new waits for the next session")
			seen[id] = true
		}
		w.event(1, core.ActionImpression, p.posts()...)
		if p.NextCursor == nil {
			break
		}
		for i := range arriving {
			w.post(2000+arriving*pages+i, 2+(pages+i)%19, 0)
		}
		victim := 1000 + pages*11
		w.deletePost(victim)
		if !seen[core.ID(victim)] {
			deleted[core.ID(victim)] = true
		}
		again := w.get(1, "limit=10&"+p.next())
		p = w.get(1, "limit=10&"+p.next())
		require.Equal(t, again.posts(), p.posts(), "a page that is fetched twice is the same")
	}
	require.GreaterOrEqual(t, pages, 20)
	for i := range posts {
		id := core.ID(1000 + i)
		require.True(t, seen[id] || deleted[id], "post %s was skipped", id)
	}
}

func TestATimelineIsInTheOrderOfTimeAndGoesOnInPostgres(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3)
	w.block(4, 1)
	var want []core.ID
	for i := range 20 { // the second half is older than the hot set's window
		want = append(want, w.post(1000+i, 2+i%2, time.Duration(i)*7*time.Hour+time.Minute))
	}
	w.post(2000, 5, time.Minute)
	w.load()
	var got []core.ID
	p := w.get(1, "algo=timeline&limit=3")
	for pages := 0; pages < 10; pages++ {
		require.Equal(t, "timeline", p.Algo)
		got = append(got, p.posts()...)
		if p.NextCursor == nil {
			break
		}
		w.post(3000+pages, 2, 0)
		p = w.get(1, "algo=timeline&limit=3&"+p.next())
	}
	require.Equal(t, want, got)
}

func TestCursorsThatDoNotHoldAreRefused(t *testing.T) {
	w := newWorld(t, 10)
	for i := range 5 {
		w.post(100+i, 2+i, time.Hour)
	}
	w.load()
	cursor := w.get(1, "limit=2").next()
	status, p := w.refused(7, "/api/v1/feed?limit=2&"+cursor)
	require.Equal(t, http.StatusBadRequest, status, "of another user")
	require.Equal(t, string(core.CodeInvalidCursor), p.Code)
	status, p = w.refused(1, "/api/v1/feed?limit=2&algo=timeline&"+cursor)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "cursor", p.Field)
	w.clock.advance(31 * time.Minute)
	status, p = w.refused(1, "/api/v1/feed?limit=2&"+cursor)
	require.Equal(t, http.StatusGone, status)
	require.Equal(t, string(core.CodeCursorExpired), p.Code)
}

func TestASessionGoesOnWithAnotherReplica(t *testing.T) {
	w := newWorld(t, 10)
	for i := range 6 {
		w.post(100+i, 2+i, time.Duration(i)*time.Hour)
	}
	w.load()
	p := w.get(1, "limit=3")
	w.start()
	w.load()
	wait.Until(t, func() bool { // the order is written after the answer
		status, _ := w.call(1, "/api/v1/feed?limit=3&"+p.next())
		return status == http.StatusOK
	})
	require.ElementsMatch(t, []core.ID{100, 101, 102, 103, 104, 105},
		append(p.posts(), w.get(1, "limit=3&"+p.next()).posts()...))
}

func TestThePillTellsHowManyNewPostsWait(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(100, 2, time.Hour)
	w.post(101, 5, time.Hour) // of a stranger, whom the entry knows
	w.load()
	w.cached(1, "")
	since := "/api/v1/feed?since=" + w.clock.Now().Format(time.RFC3339Nano)
	pill := func() string {
		status, body := w.call(1, since)
		require.Equal(t, http.StatusOK, status)
		return string(body)
	}
	require.JSONEq(t, `{"new_posts":0,"more":false}`, pill())
	for i := range 3 {
		w.post(200+i, 2, 0)
	}
	w.post(300, 5, 0) // of a stranger
	require.JSONEq(t, `{"new_posts":3,"more":false}`, pill())
	w.event(1, core.ActionView, 201)
	w.deletePost(202)
	require.JSONEq(t, `{"new_posts":1,"more":false}`, pill())
	for i := range 150 {
		w.post(400+i, 3, 0)
	}
	require.JSONEq(t, `{"new_posts":99,"more":true}`, pill())
	for _, wrong := range []string{"", "yesterday", "2999-01-01T00:00:00Z", "1"} {
		status, p := w.refused(1, "/api/v1/feed?since="+wrong)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "since", p.Field)
	}
}

func TestEachItemSaysWhereItWasShown(t *testing.T) {
	w := newWorld(t, 10)
	for i := range 4 {
		w.post(100+i, 2+i, time.Hour)
	}
	w.load()
	first := w.get(1, "limit=2")
	second := w.get(1, "limit=2&"+first.next())
	sessions, err := token.NewSessions(w.cfg.CursorSecrets)
	require.NoError(t, err)
	for i, item := range append(first.Items, second.Items...) {
		require.True(t, sessions.Valid(1, item.Post, item.FeedSession))
		require.False(t, sessions.Valid(2, item.Post, item.FeedSession))
		require.False(t, sessions.Valid(1, item.Post+1, item.FeedSession))
		require.Equal(t, strconv.Itoa(i+1), strings.Split(item.FeedSession, ".")[3], "its position over all pages")
	}
}

// Where posts leave a session, the rest is varied again: a rule gives way only where no post that is left would break
// a lesser one. Nothing comes twice, and what stands is not skipped.
func TestASessionStaysVariedWhilePostsLeaveIt(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t, 40, func(c *feed.Config) { c.Sources.Followees.PerAuthor = 200 })
		for author := 2; author < 8+int(seed)*8; author++ {
			w.follow(1, author)
		}
		authors := map[core.ID]int{}
		stands := map[core.ID]bool{}
		for i := range 160 {
			author := 2 + random.IntN(6+int(seed)*8)
			id := w.post(1000+i, author, time.Duration(random.IntN(40*60))*time.Minute)
			authors[id], stands[id] = author, true
		}
		w.load()
		limit := []string{"limit=10", "limit=3", "limit=25", "limit=7"}[seed]
		p := w.cached(1, limit+"&explain=true")
		var placed []ranked
		for {
			for _, item := range p.Items {
				require.True(t, stands[item.Post], "post %s is gone, or comes twice", item.Post)
				author := authors[item.Post]
				broken, least := violation(placed, author), 99
				for other := range stands {
					least = min(least, violation(placed, authors[other]))
				}
				require.Equal(t, least, broken, "place %d: post %s", len(placed)+1, item.Post)
				relaxed := strings.Contains(strings.Join(item.Explain.Adjustments, ";"), "diversity relaxed")
				require.Equal(t, broken > 0, relaxed, "place %d: %v", len(placed)+1, item.Explain.Adjustments)
				placed = append(placed, ranked{author: author})
				require.Equal(t, len(placed), item.Explain.Position.After)
				delete(stands, item.Post)
			}
			if p.NextCursor == nil {
				break
			}
			left := make([]core.ID, 0, len(stands))
			for id := range stands {
				left = append(left, id)
			}
			slices.Sort(left)
			for _, id := range left {
				switch random.IntN(12) {
				case 0:
					w.deletePost(int(id))
					delete(stands, id)
				case 1:
					w.event(1, core.ActionHide, id)
					delete(stands, id)
				}
			}
			next := limit + "&explain=true&" + p.next()
			again := w.get(1, next)
			p = w.get(1, next)
			require.Equal(t, again.posts(), p.posts(), "a page that is fetched twice is the same")
		}
		require.Empty(t, stands, "skipped")
	}
}
