package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
)

// sent is an event of a stream; a heartbeat has no name.
type sent struct{ name, id, data string }

// stream is an open stream of a test.
type stream struct {
	t      *testing.T
	events chan sent
	ended  chan error // how the answer ended: nil is as it should
	cancel func()
}

// open opens a stream; status is not 200 where it was refused.
func (p *program) open(token, query string, headers ...string) (s *stream, status int, problem string) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/feed/updates?"+query, nil)
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := p.live
	if client == nil {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	response, err := client.Do(request) //nolint:bodyclose // whoever reads it closes it
	require.NoError(p.t, err)
	if response.StatusCode != http.StatusOK {
		defer cancel()
		text, err := io.ReadAll(response.Body)
		require.NoError(p.t, err)
		require.NotEmpty(p.t, response.Header.Get("Retry-After"))
		return nil, response.StatusCode, string(text)
	}
	require.Equal(p.t, "text/event-stream", response.Header.Get("Content-Type"))
	s = &stream{t: p.t, events: make(chan sent, 100), ended: make(chan error, 1), cancel: cancel}
	go s.read(response.Body)
	p.t.Cleanup(func() {
		cancel()
		for range s.events {
		}
	})
	return s, http.StatusOK, ""
}

func (s *stream) read(body io.ReadCloser) {
	defer close(s.events)
	defer func() { _ = body.Close() }()
	var now sent
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			s.ended <- err
			return
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			now.name = value
		case "id":
			now.id = value
		case "data":
			now.data = value
		case ":":
			now.data = "heartbeat"
		case "":
			if now != (sent{}) {
				s.events <- now
			}
			now = sent{}
		}
	}
}

// next is the next event; heartbeats are passed over.
func (s *stream) next() sent {
	s.t.Helper()
	for range 60 {
		if e := s.any(); e.name != "" {
			return e
		}
	}
	require.Fail(s.t, "nothing but heartbeats came")
	return sent{}
}

func (s *stream) any() sent {
	s.t.Helper()
	select {
	case e, ok := <-s.events:
		require.True(s.t, ok, "the stream has ended")
		return e
	case <-time.After(time.Minute):
		require.Fail(s.t, "nothing came for a minute")
	}
	return sent{}
}

// until reads until a number comes; before are those that came before.
func (s *stream) until(want string) (id string, before []string) {
	s.t.Helper()
	for {
		e := s.next()
		require.Equal(s.t, "new_posts", e.name)
		if e.data == want {
			return e.id, before
		}
		before = append(before, e.data)
	}
}

const told0, told1, told2 = `{"new_posts":0,"more":false}`, `{"new_posts":1,"more":false}`,
	`{"new_posts":2,"more":false}`

func (p *program) token(user core.ID, validFor time.Duration) string {
	p.t.Helper()
	token, err := auth.Sign(p.cfg.Auth, user, false, validFor, time.Now())
	require.NoError(p.t, err)
	return token
}

func TestAnOpenStreamIsToldHowManyPostsWait(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Feed.Updates.Heartbeat = time.Second
	p := start(t, cfg)
	world(t, s)
	p.eventually("the seeded world reaches the feed", func() bool {
		_, now := p.feed(viewer, "limit=100")
		return len(now.Items) == 60 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 1 AND kind = 'follow'") == 9
	})
	exec(t, s, `INSERT INTO blocks (blocker_id, blocked_id) VALUES (1, 4), (5, 1)`)
	exec(t, s, `INSERT INTO mutes (muter_id, muted_id) VALUES (1, 6)`)
	status, body := p.call(http.MethodGet, "/api/v1/feed?limit=5", viewer, "")
	require.Equal(t, http.StatusOK, status)
	var shown struct {
		AsOf   string `json:"as_of"`
		Cursor string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(body, &shown))
	token := p.token(viewer, time.Hour)
	open, _, _ := p.open(token, "since="+url.QueryEscape(shown.AsOf))
	require.Equal(t, told0, open.next().data, "it begins with how things are")

	for _, author := range []core.ID{4, 5, 6, 15, viewer} { // blocked, blocks, muted, a stranger, themselves
		insertPost(t, s, author)
	}
	seen := insertPost(t, s, 3)
	_, before := open.until(told1)
	require.Empty(t, before)
	gone := insertPost(t, s, 7)
	first, before := open.until(told2)
	require.Empty(t, before, "what the viewer may not see was not counted meanwhile, either")
	exec(t, s, `DELETE FROM posts WHERE id = $1`, int64(gone))
	open.until(told1)
	p.act(viewer, "hide", seen, 3)
	open.until(told0)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (1, 15)`)
	open.until(told1)
	exec(t, s, `DELETE FROM follows WHERE follower_id = 1 AND followee_id = 15`)
	last, _ := open.until(told0)
	open.cancel()

	insertPost(t, s, 8)
	p.eventually("it reaches the feed", func() bool {
		_, body := p.call(http.MethodGet, "/api/v1/feed?since="+url.QueryEscape(shown.AsOf), viewer, "")
		return string(body) == told1
	})
	again, _, _ := p.open(token, "", "Last-Event-ID", last)
	require.Equal(t, told1, again.next().data, "what came meanwhile is counted once")
	again.cancel()
	late, _, _ := p.open(token, "", "Last-Event-ID", first)
	last = late.next().id
	same, _, _ := p.open(token, "", "Last-Event-ID", last)
	require.Equal(t, sent{data: "heartbeat"}, same.any(), "who knows the number is not told again")
	byCursor, _, _ := p.open(token, "cursor="+url.QueryEscape(shown.Cursor))
	require.Equal(t, told1, byCursor.next().data)
	now, _, _ := p.open(token, "")
	require.Equal(t, told0, now.next().data, "of now, unless one says otherwise")

	status, body = p.call(http.MethodHead, "/api/v1/feed/updates", viewer, "")
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, body)
	for _, query := range []string{
		"since=x", "since=2999-01-01T00:00:00Z", "cursor=x", "since=2026-01-01T00:00:00Z&cursor=x", "limit=1",
	} {
		status, _ = p.call(http.MethodGet, "/api/v1/feed/updates?"+query, viewer, "")
		require.Equal(t, http.StatusBadRequest, status, query)
	}
}

func TestStreamsAreBoundedAndEndWell(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Feed.Updates.MaxStreams, cfg.Feed.Updates.MaxPerUser = 3, 2
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	serving, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	p := &program{t: t, cfg: cfg, url: "http://" + serving.Addr(), client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(p.client.CloseIdleConnections)

	mine := p.token(1, time.Hour)
	one, _, _ := p.open(mine, "")
	one.next()
	two, _, _ := p.open(mine, "")
	_, status, problem := p.open(mine, "")
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, problem, "rate_limited")
	short, _, _ := p.open(p.token(2, 3*time.Second), "")
	_, status, problem = p.open(p.token(3, time.Hour), "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, problem, "overloaded")

	two.cancel()
	p.eventually("a stream that is closed leaves its place", func() bool {
		three, status, _ := p.open(p.token(3, time.Hour), "")
		if status != http.StatusOK {
			return false
		}
		three.cancel()
		return true
	})
	require.Equal(t, told0, short.next().data)
	require.Equal(t, sent{name: "end", data: `{"reason":"token_expired"}`}, short.next())
	require.NoError(t, <-short.ended)

	require.NoError(t, serving.Stop())
	require.Equal(t, sent{name: "end", data: `{"reason":"draining"}`}, one.next())
	require.NoError(t, <-one.ended, "the answer is whole")
}
