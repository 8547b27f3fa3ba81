package feed_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// breakers puts the real ones in place of the test's gates.
func (w *world) breakers() {
	set := breaker.NewSet(breaker.DefaultConfig(), core.SystemClock{}, prometheus.NewRegistry(), zap.NewNop())
	w.guards = guards.Guards{ClickHouse: set.ClickHouse, Postgres: set.Postgres, Redis: set.Redis}
	w.start()
	w.load()
}

// barredPosts are those that viewer 1 may never see: of whom they block, of who blocks them, of whom they
// mute, their own, and a deleted one.
var barredPosts = []core.ID{101, 102, 103, 104, 105}

func TestEveryFeedIsAnsweredAndObeysTheFiltersWhileServersAreKilledFrozenAndRestarted(t *testing.T) {
	s := stack.Own(t)
	w := worldOn(t, s, 40, inTime)
	w.follow(1, 2, 3, 4, 5, 6, 7, 8, 9)
	w.post(101, 1, time.Minute)
	for author := 2; author <= 30; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.block(1, 2)
	w.block(3, 1)
	w.mute(1, 4)
	w.deletePost(105)
	w.breakers()
	wait.Until(t, func() bool { return w.get(1, "").ServedFrom == "cache" })

	var slowest time.Duration
	// ask answers feeds of a known viewer and of strangers, some of them with a second page.
	stranger := 10
	ask := func(what string) (from []string) {
		t.Helper()
		stranger = 10 + (stranger-9)%30
		for _, q := range []struct {
			user  int
			query string
		}{{1, "limit=5"}, {stranger, ""}, {1, "algo=timeline"}, {1, ""}} {
			began := time.Now()
			status, body := w.call(q.user, "/api/v1/feed?"+q.query)
			slowest = max(slowest, time.Since(began))
			require.Equal(t, http.StatusOK, status, "%s: %s", what, body)
			p := w.parse(body)
			require.NotEmpty(t, p.Items, what)
			from = append(from, p.ServedFrom)
			for _, post := range p.posts() {
				require.False(t, q.user == 1 && slices.Contains(barredPosts, post),
					"%s: post %d in the feed of 1, from %s", what, post, p.ServedFrom)
			}
			if p.NextCursor != nil && q.query != "" {
				status, body := w.call(q.user, "/api/v1/feed?limit=5&"+p.next())
				require.Equal(t, http.StatusOK, status, "%s, next page: %s", what, body)
			}
		}
		return from
	}
	drills := []struct {
		name   string
		server *embedded.Server
	}{{"clickhouse", s.Servers.ClickHouse}, {"redis", s.Servers.Redis}, {"postgres", s.Servers.Postgres}}
	for _, d := range drills {
		slowest = 0
		require.NoError(t, d.server.Kill())
		for range 15 {
			ask(d.name + " killed")
		}
		t.Logf("%s killed: slowest answer %s", d.name, slowest.Round(time.Millisecond))
		require.NoError(t, d.server.Start(context.Background()))
		w.recovers(d.name+" is back", ask)

		slowest = 0
		require.NoError(t, d.server.Freeze())
		for range 15 {
			ask(d.name + " frozen")
		}
		t.Logf("%s frozen: slowest answer %s", d.name, slowest.Round(time.Millisecond))
		require.NoError(t, d.server.Thaw())
		w.recovers(d.name+" has thawed", ask)
	}
	// All three at once: what is in memory answers.
	for _, d := range drills {
		require.NoError(t, d.server.Kill())
	}
	for range 15 {
		status, body := w.call(20, "/api/v1/feed")
		require.Equal(t, http.StatusOK, status)
		require.NotEmpty(t, w.parse(body).Items)
	}
	var wg sync.WaitGroup
	for _, d := range drills {
		wg.Go(func() { _ = d.server.Start(context.Background()) })
	}
	wg.Wait()
	// Until one of the two is asked again, nobody knows whom a viewer blocks.
	wait.Until(t, func() bool { return w.get(20, "").ServedFrom != "trending" })
	w.recovers("all are back", ask)
}

// recovers waits until a feed is computed and cached again, so that the breakers are closed, while every
// answer holds.
func (w *world) recovers(what string, ask func(string) []string) {
	w.t.Helper()
	wait.Until(w.t, func() bool {
		ask(what)
		if status, _ := w.do(http.MethodDelete, 1, "/admin/v1/cache/1", ""); status != http.StatusNoContent {
			return false
		}
		p := w.get(1, "")
		return !p.Degraded && p.ServedFrom == "clickhouse"
	}, what)
}
