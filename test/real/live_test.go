//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// live is a whole program that runs, and what it has promised so far.
type live struct {
	*asker
	db       *clickhouse.Client
	accepted []string // events that were answered with 202
	posts    int      // that the app has committed beside those of the world
}

// settings are those of a program of every role on these servers, with a slot that no other test has. One viewer may
// look after everything.
func settings(c servers.Configs) config.Config {
	cfg := config.Default()
	cfg.HTTP.Addr, cfg.Auth.HS256Secret = "127.0.0.1:0", strings.Repeat("s", 32)
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = c.ClickHouseConfig, c.PostgresConfig, c.KafkaConfig,
		c.RedisConfig
	cfg.RateLimit.UserPerMinute, cfg.RateLimit.AddressPerMinute = 0, 0
	slot := "feedrank" + strings.NewReplacer(".", "", "-", "").Replace(c.KafkaConfig.TopicPrefix)
	cfg.CDC.Source.Slot, cfg.CDC.Source.Publication = slot, slot
	return cfg
}

// migrated makes a program's schemas and topics.
func migrated(t *testing.T, cfg config.Config) config.Config {
	t.Helper()
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	return cfg
}

// run starts a program, which ends with the test.
func run(t *testing.T, cfg config.Config) *asker {
	t.Helper()
	program, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	a := &asker{
		t: t, cfg: cfg, url: "http://" + program.Addr(),
		client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}, next: 200,
	}
	t.Cleanup(func() {
		a.client.CloseIdleConnections()
		require.NoError(t, program.Stop())
	})
	return a
}

// start runs one in a world of its own, and waits until it has feeds.
func start(t *testing.T, c servers.Configs, set func(*config.Config)) *live {
	t.Helper()
	cfg := settings(c)
	if set != nil {
		set(&cfg)
	}
	require.NoError(t, execute(t.Context(), c, feedWorld))
	s := &live{asker: run(t, migrated(t, cfg))}
	s.db = clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	t.Cleanup(s.db.Close)
	wait.Until(t, func() bool { return s.page() > 0 }, "a feed has posts")
	return s
}

// commit writes to the app's database, as the app does.
func (s *live) commit(t *testing.T, statement string) {
	t.Helper()
	require.NoError(t, s.try(t.Context(), statement))
}

func (s *live) try(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.cfg.Postgres.DSN)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // its server may have ended
	_, err = conn.Exec(ctx, statement)
	return err
}

// page is how many posts the feed of somebody new has, which is computed: every answer must be 200.
func (s *live) page() int {
	s.t.Helper()
	s.next++
	status, body := s.call(http.MethodGet, "/api/v1/feed?limit=20", 101+s.next%300, "")
	require.Equal(s.t, http.StatusOK, status, string(body))
	var page feedPage
	require.NoError(s.t, json.Unmarshal(body, &page))
	return len(page.Items)
}

// act sends an event, and keeps it if it was accepted.
func (s *live) act() (status int) {
	s.t.Helper()
	s.next++
	id := uuid.NewString()
	status, body := s.call(http.MethodPost, "/api/v1/events", 101+s.next%300, fmt.Sprintf(
		`{"events":[{"event_id":%q,"action":"view","post":"%d","author":"1","occurred_at":%q}]}`, id, 20+s.next%90,
		time.Now().UTC().Format(time.RFC3339Nano)))
	if status == http.StatusAccepted {
		require.Contains(s.t, string(body), `"accepted":1`)
		s.accepted = append(s.accepted, id)
	}
	return status
}

// whole waits until every event that was accepted has its row, and holds that it has one.
func (s *live) whole() {
	s.t.Helper()
	want := fmt.Sprint(len(s.accepted))
	wait.Until(s.t, func() bool {
		return count(s.t, s.db, "SELECT toString(uniqExact(event_id)) FROM events WHERE event_id IN ("+quoted(s.accepted)+")") == want
	}, "%s accepted events are applied", want)
	require.Equal(s.t, count(s.t, s.db, "SELECT toString(uniqExact(event_id)) FROM events"),
		count(s.t, s.db, "SELECT toString(count()) FROM events"), "once each")
	require.Equal(s.t, "0", count(s.t, s.db, "SELECT toString(sum(dead_letters)) FROM event_ranges"))
}

func quoted(ids []string) string { return "'" + strings.Join(ids, "','") + "'" }

// copied waits until the app's posts are all in ClickHouse.
func (s *live) copied() {
	s.t.Helper()
	wait.Until(s.t, func() bool {
		return count(s.t, s.db, "SELECT toString(count()) FROM posts FINAL WHERE id > 1000") == fmt.Sprint(s.posts)
	}, "%d committed posts are copied", s.posts)
}

func (s *live) post() {
	s.t.Helper()
	s.posts++
	s.commit(s.t, fmt.Sprintf("INSERT INTO posts (id, author_id) VALUES (%d, 3)", 1000+s.posts))
}

// dismiss wants a suggestion gone: Redis alone keeps that.
func (s *live) dismiss(user int) int {
	s.t.Helper()
	status, _ := s.call(http.MethodPost, fmt.Sprintf("/api/v1/discover/suggested-users/%d/dismiss", user), 150, "")
	return status
}

// says waits until /readyz says that a dependency is not well.
func (s *live) says(check string) {
	s.t.Helper()
	wait.Until(s.t, func() bool {
		_, body := s.call(http.MethodGet, "/readyz", 1, "")
		return strings.Contains(string(body), fmt.Sprintf("%q:\"failing\"", check))
	}, "%s is failing", check)
}
