package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// program is a running feedrank and a client of it.
type program struct {
	t      *testing.T
	cfg    config.Config
	url    string
	client *http.Client
	live   *http.Client // that opens streams; nil: one with a connection for each
}

// settings point at a test's own databases and topics.
func settings(t *testing.T, s *stack.Stack, roles ...string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Roles = roles
	cfg.HTTP.Addr = "127.0.0.1:0"
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.ClickHouseConfig, s.PostgresConfig, s.KafkaConfig,
		s.RedisConfig
	cfg.Kafka.SessionTimeout = 6 * time.Second
	cfg.Feed.Explain = feed.Everybody
	// a test asks as often as it takes
	cfg.RateLimit.UserPerMinute = 0
	// slots are the server's, not the database's
	slot := "s" + strings.NewReplacer(".", "", "-", "").Replace(s.KafkaConfig.TopicPrefix)
	cfg.CDC.Source.Slot, cfg.CDC.Source.Publication = slot, slot
	return cfg
}

func start(t *testing.T, cfg config.Config) *program {
	t.Helper()
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	return running(t, cfg)
}

// running starts a program whose servers are prepared.
func running(t *testing.T, cfg config.Config) *program {
	t.Helper()
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := running.Stop(); err != nil {
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1) // what did not end
			require.NoError(t, err)
		}
	})
	return &program{t: t, cfg: cfg, url: "http://" + running.Addr(), client: client}
}

// call returns the status and the body.
func (p *program) call(method, path string, user core.ID, body string) (int, []byte) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	request.Header.Set("Content-Type", "application/json")
	if user.Valid() {
		token, err := auth.Sign(p.cfg.Auth, user, false, time.Hour, time.Now())
		require.NoError(p.t, err)
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode, text
}

// page is what a test reads of a page.
type page struct {
	Items      []item `json:"items"`
	NextCursor string `json:"next_cursor"`
	ServedFrom string `json:"served_from"`
	Degraded   bool   `json:"degraded"`
}

type item struct {
	Post    core.ID `json:"post"`
	Author  core.ID `json:"author"`
	Score   float64 `json:"score"`
	Explain struct {
		Freshness  float64 `json:"freshness"`
		Engagement float64 `json:"engagement"`
		Disliked   float64 `json:"disliked"`
		Affinity   float64 `json:"affinity"`
		Inputs     struct {
			Likes    int `json:"likes"`
			Dislikes int `json:"dislikes"`
		} `json:"inputs"`
	} `json:"explain"`
}

// posts are the ids of the page.
func (p page) posts() []core.ID {
	ids := make([]core.ID, len(p.Items))
	for i, item := range p.Items {
		ids[i] = item.Post
	}
	return ids
}

// likes are what the page shows of a post; -1 if it is not there.
func (p page) likes(post core.ID) int {
	for _, item := range p.Items {
		if item.Post == post {
			return item.Explain.Inputs.Likes
		}
	}
	return -1
}

func (p *program) feed(user core.ID, query string) (int, page) {
	p.t.Helper()
	status, body := p.call(http.MethodGet, "/api/v1/feed?"+query, user, "")
	var out page
	if status == http.StatusOK {
		require.NoError(p.t, json.Unmarshal(body, &out), string(body))
	}
	return status, out
}

// act posts one event and requires it to be accepted.
func (p *program) act(user core.ID, action string, post, author core.ID) {
	p.t.Helper()
	event := map[string]any{
		"event_id": uuid.NewString(), "action": action, "post_id": post, "author_id": author,
		"occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
	}
	body, err := json.Marshal(map[string]any{"events": []any{event}})
	require.NoError(p.t, err)
	status, answer := p.call(http.MethodPost, "/api/v1/events", user, string(body))
	require.Equal(p.t, http.StatusAccepted, status, string(answer))
	require.True(p.t, bytes.Contains(answer, []byte(`"accepted":1`)), string(answer))
}

// likeSeen has some people see a post, and the viewer like it: a like of a post that hardly anybody saw counts nowhere.
func (p *program) likeSeen(post, author core.ID) {
	p.t.Helper()
	for user := core.ID(4); user < 12; user++ {
		p.act(user, "impression", post, author)
	}
	p.act(viewer, "like", post, author)
}

// eventually waits for something that takes the way through Kafka and ClickHouse.
func (p *program) eventually(what string, holds func() bool) {
	p.t.Helper()
	wait.Until(p.t, holds, what)
}
