package faults

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

// answers are what the endpoints answer while some servers are gone: one row of the table in
// ARCHITECTURE.md, "What is answered when".
type answers struct {
	gone     []server
	cached   string // served_from of a viewer with a fresh entry in Redis, of whom the replica knows
	changed  string // of one who has blocked somebody since
	stranger string // of one of whom nothing is cached
	suggest  string // served_from of suggested users, for a stranger
	events   int    // status of POST /api/v1/events
	dismiss  int    // status of dismissing a suggestion
}

const (
	ok, noContent, unavailable = http.StatusOK, http.StatusNoContent, http.StatusServiceUnavailable
	accepted                   = http.StatusAccepted
)

var table = []answers{
	{[]server{clickhouse}, "cache", "stale", "postgres", "postgres", accepted, noContent},
	{[]server{redis}, "cache", "cache", "clickhouse", "clickhouse", accepted, unavailable},
	{[]server{postgres}, "cache", "clickhouse", "clickhouse", "clickhouse", accepted, noContent},
	{[]server{kafka}, "cache", "clickhouse", "clickhouse", "clickhouse", unavailable, noContent},
	{[]server{clickhouse, redis}, "cache", "cache", "postgres", "postgres", accepted, unavailable},
	{[]server{clickhouse, postgres}, "cache", "stale", "trending", "nothing", accepted, noContent},
	{[]server{clickhouse, kafka}, "cache", "stale", "postgres", "postgres", unavailable, noContent},
	{[]server{redis, postgres}, "cache", "cache", "clickhouse", "clickhouse", accepted, unavailable},
	{[]server{redis, kafka}, "cache", "cache", "clickhouse", "clickhouse", unavailable, unavailable},
	{[]server{postgres, kafka}, "cache", "clickhouse", "clickhouse", "clickhouse", unavailable, noContent},
}

// faultsOf are the ways in which a row's servers fail here; FEEDRANK_TEST_FAULTS=all tries every way on
// every row.
func faultsOf(row answers) []fault {
	switch {
	case os.Getenv("FEEDRANK_TEST_FAULTS") == "all":
		return []fault{dead, hanging, late, trickling, resetting}
	case len(row.gone) == 1:
		return []fault{dead, hanging, trickling, resetting}
	default:
		return []fault{dead}
	}
}

func TestEveryEndpointAnswersAsTheTableSaysWhileOneOrTwoServersAreGone(t *testing.T) {
	s := stack.New(t)
	direct := s.RedisConfig
	direct.Addrs = slices.Clone(direct.Addrs)
	_, err := s.Postgres.Exec(t.Context(), worldSQL)
	require.NoError(t, err)
	n := newNetwork(t, s)
	p := start(t, s, direct)
	tables.Arrived(t, s.Postgres, s.ClickHouse, p.metrics)
	p.healthy()

	for _, row := range table {
		for _, f := range faultsOf(row) {
			if t.Failed() {
				return // what follows would only wait
			}
			t.Run(row.name()+" "+f.name, func(t *testing.T) {
				p.t, n.t = t, t
				defer n.heal()
				cached, changed, walker := p.known(), p.changed(), p.known()
				first, _ := p.page("/api/v1/feed?limit=5", walker)
				for _, gone := range row.gone {
					n.fail(gone, f)
				}
				slowest := p.check(row, cached, changed, walker, first)
				n.heal()
				began := time.Now()
				p.healthy()
				t.Logf("slowest feed %s, well again %s after the servers are", slowest.Round(time.Millisecond),
					time.Since(began).Round(time.Millisecond))
			})
		}
	}
	p.t = t
	// Whatever happened: a commit and an event still arrive.
	_, err = s.Postgres.Exec(t.Context(), `INSERT INTO posts (id, author_id) VALUES (9001, 3)`)
	require.NoError(t, err)
	viewer := p.stranger()
	p.eventually("a new post reaches the feed", func() bool {
		now, _ := p.page("/api/v1/feed?limit=100", viewer)
		return slices.ContainsFunc(now.posts(), func(id core.ID) bool { return id == 9001 })
	})
}

func (row answers) name() string {
	var names []string
	for _, gone := range row.gone {
		names = append(names, string(gone))
	}
	return strings.Join(names, "+")
}

// rounds is how often each question is asked during a fault: enough for every breaker to open, so that
// both its deadlines and what comes after are seen.
const rounds = 10

// check asks everything and gives the time of the slowest feed.
func (p *program) check(row answers, cached, changed, walker core.ID, first page) (slowest time.Duration) {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Log(p.call(http.MethodGet, "/admin/v1/breaker", 1, "").body)
		}
	}()
	feed := func(what, path string, viewer core.ID, from ...string) {
		p.t.Helper()
		now, a := p.page(path, viewer)
		slowest = max(slowest, a.took)
		require.Equal(p.t, ok, a.status, "%s: %s", what, a.body)
		require.NotEmpty(p.t, now.Items, "%s: %s", what, a.body)
		require.True(p.t, now.obeys(viewer), "%s: %s", what, a.body)
		if viewer == changed {
			require.False(p.t, slices.ContainsFunc(now.Items, func(i item) bool { return i.Author == blockedLately }),
				"%s: %s", what, a.body)
		}
		if len(from) > 0 {
			require.Contains(p.t, from, now.ServedFrom, "%s: %s", what, a.body)
		}
	}
	for range rounds {
		feed("cached", "/api/v1/feed", cached, row.cached)
		feed("changed", "/api/v1/feed", changed, row.changed, cachedOnce(row.changed))
		feed("stranger", "/api/v1/feed", p.stranger(), row.stranger)
	}
	feed("explained", "/api/v1/feed?explain=true", cached, row.cached)
	feed("timeline", "/api/v1/feed?algo=timeline", cached)
	feed("next page", "/api/v1/feed?limit=5&cursor="+first.NextCursor, walker)
	for _, window := range []string{"1h", "24h", "7d"} {
		now, a := p.page("/api/v1/feed/trending?window="+window, cached)
		require.Equal(p.t, ok, a.status, a.body)
		require.True(p.t, now.obeys(cached), a.body)
	}
	feed("timeline of a stranger", "/api/v1/feed?algo=timeline", p.stranger())
	require.Equal(p.t, ok, p.call(http.MethodGet,
		"/api/v1/feed?since="+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), cached, "").status)
	p.checkOthers(row)
	return slowest
}

// cachedOnce is where a computed answer comes from when it is asked for again.
func cachedOnce(from string) string {
	if from == "clickhouse" {
		return "cache"
	}
	return from
}

func (p *program) checkOthers(row answers) {
	p.t.Helper()
	suggested, a := p.page("/api/v1/discover/suggested-users", p.stranger())
	require.Equal(p.t, ok, a.status, a.body)
	require.Equal(p.t, row.suggest, suggested.ServedFrom, a.body)
	for range 2 {
		a = p.event(p.stranger())
		require.Equal(p.t, row.events, a.status, a.body)
		require.Equal(p.t, a.status == unavailable, a.retryAfter != "", "Retry-After")
	}
	a = p.call(http.MethodPost, "/api/v1/discover/suggested-users/30/dismiss", p.stranger(), "")
	require.Equal(p.t, row.dismiss, a.status, a.body)
	require.Equal(p.t, a.status == unavailable, a.retryAfter != "", "Retry-After")
	for _, path := range []string{"/healthz", "/metrics", "/admin/v1/breaker"} {
		require.Equal(p.t, ok, p.call(http.MethodGet, path, 1, "").status, path)
	}
	wait.Until(p.t, func() bool { // what was found is kept for a second
		a = p.call(http.MethodGet, "/readyz", 1, "")
		require.Equal(p.t, ok, a.status, "a lost server is no reason to be taken out: %s", a.body)
		return strings.Contains(a.body, `"degraded"`)
	})
}

// healthy waits until everything is well: feeds are computed and cached, events taken. It asks for the same
// viewers again and again, so that they do not run out.
func (p *program) healthy() {
	p.t.Helper()
	viewer := p.stranger()
	p.eventually("feeds are cached again", func() bool {
		now, _ := p.page("/api/v1/feed", viewer)
		return now.ServedFrom == "cache" && !now.Degraded && len(now.Items) >= 20
	})
	p.eventually("feeds are computed again", func() bool {
		p.call(http.MethodDelete, "/admin/v1/cache/"+viewer.String(), 1, "")
		now, _ := p.page("/api/v1/feed", viewer)
		return now.ServedFrom == "clickhouse" && !now.Degraded
	})
	p.eventually("events are taken again", func() bool { return p.event(1).status == accepted })
	p.eventually("all breakers are closed, and every check is well", func() bool {
		// a breaker closes by what is asked through it
		p.call(http.MethodDelete, "/admin/v1/cache/"+viewer.String(), 1, "")
		p.page("/api/v1/feed", viewer)
		p.page("/api/v1/feed?algo=timeline&limit=100", viewer) // further back than memory goes: PostgreSQL
		p.suggest()
		p.event(1)
		return strings.Count(p.call(http.MethodGet, "/admin/v1/breaker", 1, "").body, `"state":"open"`) == 0 &&
			strings.Contains(p.call(http.MethodGet, "/readyz", 1, "").body, `"status":"ready"`)
	})
}

func (now page) posts() []core.ID {
	ids := make([]core.ID, len(now.Items))
	for i, item := range now.Items {
		ids[i] = item.Post
	}
	return ids
}
