//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

// Users 1 to 20 post. Viewers, from 101 on, follow 3 to 8, block 2, are blocked by 11 and mute 12.
const feedWorld = `
INSERT INTO users (id, name) SELECT n, 'user-' || n FROM generate_series(1, 400) n;
INSERT INTO posts (id, author_id, created_at) SELECT n, 1 + n % 20, now() - n * interval '1 minute' FROM generate_series(1, 120) n;
UPDATE posts SET deleted_at = now() WHERE id = 5;
INSERT INTO follows (follower_id, followee_id) SELECT v, f FROM generate_series(101, 400) v, generate_series(3, 8) f;
INSERT INTO blocks (blocker_id, blocked_id) SELECT v, 2 FROM generate_series(101, 400) v;
INSERT INTO blocks (blocker_id, blocked_id) SELECT 11, v FROM generate_series(101, 400) v;
INSERT INTO mutes (muter_id, muted_id) SELECT v, 12 FROM generate_series(101, 400) v;`

// asker asks a running program for feeds and holds them against the world.
type asker struct {
	t      *testing.T
	cfg    config.Config
	url    string
	client *http.Client
	next   core.ID // the next viewer of whom nothing is cached
}

// barred are the authors whom no viewer must see: one blocked, one who blocks, one muted.
var barred = []core.ID{2, 11, 12}

type feedItem struct {
	Post   core.ID `json:"post"`
	Author core.ID `json:"author"`
}

type feedPage struct {
	Items      []feedItem `json:"items"`
	ServedFrom string     `json:"served_from"`
	Degraded   bool       `json:"degraded"`
}

func (a *asker) call(method, path string, user core.ID, body string) (int, []byte) {
	a.t.Helper()
	return a.callAs(method, path, core.Key{ID: user}, body)
}

func (a *asker) callAs(method, path string, user core.Key, body string) (int, []byte) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, a.url+path, strings.NewReader(body))
	require.NoError(a.t, err)
	token, err := auth.SignUser(a.cfg.Auth, user, true, time.Hour, time.Now())
	require.NoError(a.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	require.NoError(a.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	require.NoError(a.t, response.Body.Close())
	return response.StatusCode, text
}

// feed asks for a feed, which must be one: answered, not empty, and without anything that is barred.
func (a *asker) feed(what string, viewer core.ID, query string) feedPage {
	a.t.Helper()
	status, body := a.call(http.MethodGet, "/api/v1/feed?"+query, viewer, "")
	require.Equal(a.t, http.StatusOK, status, "%s: %s", what, body)
	var p feedPage
	require.NoError(a.t, json.Unmarshal(body, &p))
	require.NotEmpty(a.t, p.Items, what)
	for _, item := range p.Items {
		require.NotEqual(a.t, core.ID(5), item.Post, "%s: a deleted post", what)
		if p.ServedFrom != "trending" { // nobody could say then whom the viewer bars
			require.NotContains(a.t, append([]core.ID{viewer}, barred...), item.Author, "%s: a barred author, from %s",
				what, p.ServedFrom)
		}
	}
	return p
}

func (a *asker) stranger() core.ID { a.next++; return a.next }

func (a *asker) well(after string) {
	a.t.Helper()
	wait.Until(a.t, func() bool {
		status, body := a.call(http.MethodGet, "/readyz", 1, "")
		p := a.feed(after, 101, "")
		return status == http.StatusOK && strings.Contains(string(body), `"status":"ready"`) &&
			p.ServedFrom == "cache" && !p.Degraded
	}, "well again after %s", after)
}

func TestFeedsAreAnsweredAndObeyTheFiltersWhileEveryServerIsKilledAndFrozen(t *testing.T) {
	s, c := fresh(t)
	require.NoError(t, execute(t.Context(), c, feedWorld))
	a := run(t, migrated(t, settings(c)))
	pg, err := pgx.Connect(t.Context(), c.PostgresConfig.DSN)
	require.NoError(t, err)
	db := clickhouse.New(c.ClickHouseConfig, prometheus.NewRegistry())
	tables.Arrived(t, pg, db, func() string {
		_, body := a.call(http.MethodGet, "/metrics", 1, "")
		return string(body)
	})
	db.Close()
	require.NoError(t, pg.Close(t.Context()))
	a.well("the start")

	var under func() error // ends the fault that is under way
	t.Cleanup(func() {
		if under != nil {
			_ = under() // the test has failed; others need the server
		}
	})
	for _, server := range []servers.Server{s.ClickHouse, s.Redis, s.Postgres, s.Kafka} {
		for _, fault := range []struct {
			name       string
			begin, end func() error
		}{
			{"killed", server.Kill, func() error { return server.Start(context.WithoutCancel(t.Context())) }},
			{"frozen", server.Freeze, server.Thaw},
		} {
			what := server.Name() + " " + fault.name
			require.NoError(t, fault.begin())
			under = fault.end
			from := map[string]int{}
			for range 12 {
				from[a.feed(what, 101, "").ServedFrom]++
				from[a.feed(what, a.stranger(), "").ServedFrom]++
				from[a.feed(what, 101, "algo=timeline").ServedFrom]++
			}
			under = nil
			require.NoError(t, fault.end())
			began := time.Now()
			a.well(what)
			t.Logf("%s: %v; well %s after it is back", what, from, time.Since(began).Round(time.Millisecond))
		}
	}

	// Whatever happened, a commit and an event still arrive.
	require.NoError(t, execute(t.Context(), c, "INSERT INTO posts (id, author_id) VALUES (9001, 3)"))
	event := `{"events":[{"event_id":"` + uuid.NewString() +
		`","action":"hide","post_id":"7","author_id":"8","occurred_at":"` + time.Now().UTC().Format(time.RFC3339) +
		`"}]}`
	wait.Until(t, func() bool {
		status, _ := a.call(http.MethodPost, "/api/v1/events", 101, event)
		return status == http.StatusAccepted
	})
	wait.Until(t, func() bool {
		posts := []core.ID{}
		for _, item := range a.feed("after all", 101, "limit=100").Items {
			posts = append(posts, item.Post)
		}
		return slices.Contains(posts, 9001) && !slices.Contains(posts, 7)
	}, "a new post comes, a hidden one goes")
}
