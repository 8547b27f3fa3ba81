package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/auth"
	redisclient "github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func portOf(port uint16) string { return strconv.Itoa(int(port)) }

// Users 1 to 30 post. Viewers follow 3 to 8, block 2, are blocked by 21 and mute 22. Post 1, by 3, is deleted.
const (
	firstViewer = 101
	viewers     = 1200 // every row in every way takes 1000
	deletedPost = core.ID(1)
)

var barredAuthors = []core.ID{2, 21, 22}

const worldSQL = `
INSERT INTO users (id, name) SELECT n, 'user-' || n FROM generate_series(1, 1300) n;
INSERT INTO posts (id, author_id, created_at) SELECT n, 1 + (n + 1) % 30, now() - n * interval '1 minute' FROM generate_series(1, 240) n;
UPDATE posts SET deleted_at = now() WHERE id = 1;
INSERT INTO follows (follower_id, followee_id) SELECT v, f FROM generate_series(101, 1300) v, generate_series(3, 8) f;
INSERT INTO blocks (blocker_id, blocked_id) SELECT v, 2 FROM generate_series(101, 1300) v;
INSERT INTO blocks (blocker_id, blocked_id) SELECT 21, v FROM generate_series(101, 1300) v;
INSERT INTO mutes (muter_id, muted_id) SELECT v, 22 FROM generate_series(101, 1300) v;`

// program is feedrank with every role behind the network, and a client of it.
type program struct {
	t       *testing.T
	cfg     config.Config
	url     string
	client  *http.Client
	db      *pgxpool.Pool // past the network, like
	entries *store.Store  // what Redis has
	redis   *redisclient.Client
	next    int // the next viewer of whom nothing is cached
}

func start(t *testing.T, s *stack.Stack, direct redisclient.Config) *program {
	t.Helper()
	cfg := config.Default()
	cfg.HTTP.Addr = "127.0.0.1:0"
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.ClickHouseConfig, s.PostgresConfig, s.KafkaConfig,
		s.RedisConfig
	cfg.Kafka.SessionTimeout = 6 * time.Second
	cfg.RateLimit.UserPerMinute = 0 // one user looks after everything
	cfg.Events.ProduceTimeout, cfg.Breaker.Kafka.Timeout = time.Second, time.Second
	// whoever else is busy on the machine
	cfg.Feed.Budget, cfg.Feed.ComputeWait, cfg.Breaker.Postgres.Timeout = 2*time.Second, time.Second,
		500*time.Millisecond
	cfg.Breaker.Postgres.SlowAfter = 400 * time.Millisecond
	cfg.Breaker.ClickHouse.Timeout, cfg.Breaker.ClickHouse.SlowAfter = 800*time.Millisecond, 700*time.Millisecond
	for _, p := range []*breaker.Policy{
		&cfg.Breaker.ClickHouse, &cfg.Breaker.Discovery, &cfg.Breaker.Postgres,
		&cfg.Breaker.Redis, &cfg.Breaker.Kafka,
	} {
		p.OpenFor = 300 * time.Millisecond // the rows of the table follow each other
	}
	slot := "faults" + strings.NewReplacer(".", "", "-", "").Replace(s.KafkaConfig.TopicPrefix)
	cfg.CDC.Source.Slot, cfg.CDC.Source.Publication = slot, slot
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	remembered := redisclient.New(direct, core.SystemClock{})
	t.Cleanup(func() {
		client.CloseIdleConnections()
		remembered.Close()
		require.NoError(t, running.Stop())
	})
	return &program{
		t: t, cfg: cfg, url: "http://" + running.Addr(), client: client, next: firstViewer + 1, db: s.Postgres,
		entries: store.New(cfg.Feed.Store, remembered), redis: remembered,
	}
}

// answer is what a test reads of any answer.
type answer struct {
	status     int
	retryAfter string
	body       string
	took       time.Duration
}

func (p *program) call(method, path string, user core.ID, body string) answer {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	request.Header.Set("Content-Type", "application/json")
	token, err := auth.Sign(p.cfg.Auth, user, true, time.Hour, time.Now())
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	began := time.Now()
	response, err := p.client.Do(request)
	require.NoError(p.t, err, "%s %s", method, path)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return answer{response.StatusCode, response.Header.Get("Retry-After"), string(text), time.Since(began)}
}

type item struct {
	Post   core.ID `json:"post"`
	Author core.ID `json:"author"`
}

// page is what a test reads of a page.
type page struct {
	Items      []item `json:"items"`
	NextCursor string `json:"next_cursor"`
	ServedFrom string `json:"served_from"`
	Degraded   bool   `json:"degraded"`
}

func (p *program) page(path string, user core.ID) (page, answer) {
	p.t.Helper()
	a := p.call(http.MethodGet, path, user, "")
	var out page
	if a.status == http.StatusOK {
		require.NoError(p.t, json.Unmarshal([]byte(a.body), &out), a.body)
	}
	return out, a
}

// stranger is a viewer of whom nothing is cached.
func (p *program) stranger() core.ID {
	require.Less(p.t, p.next, firstViewer+viewers, "no viewers left")
	p.next++
	return core.ID(p.next - 1)
}

// known is a viewer whose reserve is cached.
func (p *program) known() core.ID {
	p.t.Helper()
	viewer := p.stranger()
	p.eventually("a reserve is cached", func() bool {
		now, _ := p.page("/api/v1/feed", viewer)
		return now.ServedFrom == "cache"
	})
	return viewer
}

// blockedLately is whom viewers block who have changed something.
const blockedLately = core.ID(25)

// changed is a viewer whose reserve is cached, and who has blocked somebody since: the entry knows, and the
// replica has heard of it.
func (p *program) changed() core.ID {
	p.t.Helper()
	viewer := p.known()
	before := p.heard()
	_, err := p.db.Exec(p.t.Context(), `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)`, int64(viewer),
		int64(blockedLately))
	require.NoError(p.t, err)
	p.eventually("the block is known", func() bool {
		state, err := p.entries.Load(p.t.Context(), viewer)
		var entry reserve.Entry
		return err == nil && entry.Decode(state.Entry) == nil && len(entry.Patches) > 0 && p.heard() > before
	})
	return viewer
}

// heard is how many changes of viewers the replica remembers.
func (p *program) heard() float64 {
	p.t.Helper()
	n, found := harness.ParseMetrics(p.metrics())["feedrank_feed_recent_edges"]
	require.True(p.t, found)
	return n
}

func (p *program) metrics() string {
	p.t.Helper()
	return p.call(http.MethodGet, "/metrics", 1, "").body
}

// suggest asks for suggestions of which nothing is cached: they ask ClickHouse through a breaker of their own.
func (p *program) suggest() {
	p.t.Helper()
	if conn, err := p.redis.Conn(); err == nil {
		// it is done again
		_ = conn.Do(context.Background(),
			conn.B().Del().Key(fmt.Sprintf("suggest:users:{%d}", firstViewer)).Build()).Error()
	}
	p.page("/api/v1/discover/suggested-users", firstViewer)
}

func (p *program) event(user core.ID) answer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"events": []any{map[string]any{
		"event_id": uuid.NewString(), "action": "view", "post_id": "60", "author_id": "2",
		"occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
	}}})
	require.NoError(p.t, err)
	return p.call(http.MethodPost, "/api/v1/events", user, string(body))
}

// obeys tells whether a page shows nothing that its viewer must not see. Nothing in memory says whom a
// viewer bars: where trending answers for want of everything else, only deleted and own posts are out.
func (now page) obeys(viewer core.ID) bool {
	for _, item := range now.Items {
		if item.Post == deletedPost || item.Author == viewer ||
			(now.ServedFrom != "trending" && slices.Contains(barredAuthors, item.Author)) {
			return false
		}
	}
	return true
}

func (p *program) eventually(what string, holds func() bool) {
	p.t.Helper()
	wait.Until(p.t, holds, what)
}
