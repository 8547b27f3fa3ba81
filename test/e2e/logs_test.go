package e2e

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// TestNoLogLineNamesAPerson plants what people are called and write wherever the program meets it, has it fail in each
// of these places, at the level that says most, and reads every line. What logs may hold: config/README.md.
func TestNoLogLineNamesAPerson(t *testing.T) {
	const mark = "planted-eve@example.com"
	s := stack.New(t)
	cfg := settings(t, s, string(app.API), string(app.EventsConsumer), string(app.CDCConsumer), string(app.Console))
	cfg.HTTP.AccessLog, cfg.Keys.Users = true, core.TextKeys
	cfg = cfg.WithKeyForms()
	said, log := keptLog()
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	running, err := app.Start(t.Context(), cfg, log)
	require.NoError(t, err)
	stopped := false
	defer func() {
		if !stopped {
			require.NoError(t, running.Stop())
		}
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	hers, err := auth.SignUser(cfg.Auth, core.Key{ID: 1, Text: mark}, false, time.Hour, time.Now())
	require.NoError(t, err)
	admin, err := auth.Sign(cfg.Auth, 1, true, time.Hour, time.Now())
	require.NoError(t, err)
	call := func(method, path, token, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+running.Addr()+path,
			strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Request-Id", mark)
		request.Header.Set("User-Agent", mark)
		response, err := client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode, string(text)
	}
	event := func(post string) string {
		return `{"events": [{"event_id": "` + uuid.NewString() + `", "action": "view", "post_id": "` + post +
			`", "author_id": "` + mark + `", "occurred_at": "` + time.Now().UTC().Format(time.RFC3339) + `"}]}`
	}
	escaped := url.PathEscape(mark)
	for _, c := range []struct {
		method, path, token, body string
		want                      int
	}{
		{http.MethodGet, "/api/v1/feed", hers, "", 200},
		{http.MethodGet, "/api/v1/feed?algo=" + escaped, hers, "", 400},
		{http.MethodGet, "/api/v1/feed", mark, "", 401},
		{http.MethodGet, "/api/v1/feed", hers + mark, "", 401},
		{http.MethodGet, "/" + escaped, hers, "", 404},
		{http.MethodPost, "/api/v1/events", hers, `{"events": "` + mark, 400},
		{http.MethodPost, "/api/v1/events", hers, event(mark), 202},
		{http.MethodPost, "/api/v1/events", hers, event("666"), 202},
		{http.MethodDelete, "/admin/v1/cache/" + escaped, admin, "", 204},
		{http.MethodGet, "/admin/v1/feed?user=" + escaped, admin, "", 200},
		{http.MethodGet, "/api/v1/discover/suggested-users", hers, "", 200},
		{http.MethodPost, "/api/v1/discover/suggested-users/" + escaped + "/dismiss", hers, "", 204},
		{http.MethodPut, "/admin/v1/ranking", admin, `{"note": "` + mark + `", "ranking": {"` + mark + `": 1}}`, 400},
		{http.MethodGet, "/console/feed?user=" + escaped, hers, "", 200},
	} {
		status, answer := call(c.method, c.path, c.token, c.body)
		if status != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, answer)
		}
	}
	// what others write to the topics
	producer := kafka.NewProducer(cfg.Kafka)
	defer func() { require.NoError(t, producer.Close()) }()
	mapping, err := cfg.CDC.Mapping(cfg.Kafka)
	require.NoError(t, err)
	posts := slices.IndexFunc(mapping.Topics(), func(topic string) bool { return strings.HasSuffix(topic, "posts") })
	for topic, value := range map[string]string{
		cfg.Kafka.Topic(cfg.Events.Topic): `{"v": 1, "event_id": "` + mark + `"}`,
		mapping.Topics()[posts]: `{"op": "c", "after": {"id": 5, "author_id": 3, "created_at": "` + mark +
			`", "body": "` + mark + `"}, "source": {"ts_ms": 1}}`,
	} {
		require.NoError(t, producer.Send(context.Background(), &sarama.ProducerMessage{
			Topic: topic, Key: sarama.StringEncoder(`{"id": 5, "text": "` + mark + `"}`), Value: sarama.StringEncoder(value),
		}))
	}
	wait.Until(t, func() bool {
		return len(said.lines("records became dead letters")) > 0 &&
			len(said.lines("a record became a dead letter")) > 0
	})
	// a batch that is refused
	s.Exec(t, "ALTER TABLE events ADD CONSTRAINT no_ones CHECK post_id != 667")
	status, answer := call(http.MethodPost, "/api/v1/events", hers, event("667"))
	require.Equal(t, http.StatusAccepted, status, answer)
	wait.Until(t, func() bool { return len(said.lines("the outcome of a write is not known")) > 0 })
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.ranking_versions RENAME TO away")
	require.NoError(t, err)
	status, answer = call(http.MethodGet, "/admin/v1/ranking", admin, "")
	require.Equal(t, http.StatusServiceUnavailable, status, answer)
	stopped = true
	require.NoError(t, running.Stop())
	require.Empty(t, said.lines("planted"))
	require.Empty(t, said.lines("example.com"))
	require.NotEmpty(t, said.lines(`"msg":"request"`))
}
