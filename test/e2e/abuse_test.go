package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
)

// send makes a request with headers of its own, and returns the answer's status, headers and body.
func (p *program) request(method, path, body string, headers ...string) (int, http.Header, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode, response.Header, text.String()
}

func token(t *testing.T, p *program, user core.ID, admin bool) string {
	t.Helper()
	signed, err := auth.Sign(p.cfg.Auth, user, admin, time.Hour, time.Now())
	require.NoError(t, err)
	return "Bearer " + signed
}

// injections are texts that would do harm where a text is pasted into a statement, a pattern or a log.
func injections() []string {
	return []string{
		"'; DROP TABLE events; --", `\'; DROP TABLE feedrank.jobs; --`, "1) OR 1=1 --", "{users:Array(Int64)}", "$1",
		"%s%n", "*", "feed:v1:{*}", `"`, `\`, "\r\nX-Injected: yes",
		"../../etc/passwd", "\u0000", "٣", "9223372036854775808", "-1", "0", "1e3", " 1", "0x10", "💥",
	}
}

func TestWhatIsMeantToDoHarmDoesNone(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	user, admin := token(t, p, 6, false), token(t, p, 1, true)

	t.Run("SQL in every string", func(t *testing.T) {
		for i, text := range injections() {
			escaped := url.PathEscape(text)
			query := url.QueryEscape(text)
			for _, call := range []struct{ method, path, token, body string }{
				{"GET", "/api/v1/feed?limit=" + query, user, ""},
				{"GET", "/api/v1/feed?cursor=" + query, user, ""},
				{"GET", "/api/v1/feed?algo=" + query, user, ""},
				{"GET", "/api/v1/feed?since=" + query, user, ""},
				{"GET", "/api/v1/feed/trending?window=" + query, user, ""},
				{"GET", "/api/v1/discover/suggested-users?limit=" + query, user, ""},
				{"POST", "/api/v1/discover/suggested-users/" + escaped + "/dismiss", user, ""},
				{"GET", "/api/v1/feed/metrics?date=" + query, admin, ""},
				{"GET", "/admin/v1/dead-letters?topic=" + query, admin, ""},
				{"GET", "/admin/v1/dead-letters/" + escaped, admin, ""},
				{"GET", "/admin/v1/" + escaped, admin, ""},
				{"POST", "/admin/v1/jobs/" + escaped + "/run", admin, ""},
				{"GET", "/" + escaped, "", ""},
			} {
				status, header, answer := p.request(call.method, call.path, call.body, "Authorization", call.token)
				require.Less(t, status, 500, "%s %s: %s", call.method, call.path, answer)
				require.Empty(t, header.Get("X-Injected"))
			}
			event := map[string]any{
				"event_id": uuid.NewString(), "action": "view", "post_id": i + 1, "author_id": "3",
				"occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
				"device":      text, "app_version": text, "feed_session": text,
			}
			body, err := json.Marshal(map[string]any{"events": []any{event}})
			require.NoError(t, err)
			status, _, answer := p.request("POST", "/api/v1/events", string(body), "Authorization", user)
			require.Equal(t, http.StatusAccepted, status, answer)
			if text == "\u0000" { // no server would take it
				require.Contains(t, answer, "want text without NUL")
				continue
			}
			require.Contains(t, answer, `"accepted":1`, text)
			for _, field := range []string{"event_id", "action", "post_id", "author_id", "occurred_at"} {
				if text == "-1" && strings.HasSuffix(field, "_id") && field != "event_id" {
					continue // a key of an app, such as that of its system's account
				}
				wrong := map[string]any{
					"event_id": uuid.NewString(), "action": "view", "post_id": "1",
					"author_id": "3", "occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
				}
				wrong[field] = text
				body, err := json.Marshal(map[string]any{"events": []any{wrong}})
				require.NoError(t, err)
				status, _, answer := p.request("POST", "/api/v1/events", string(body), "Authorization", user)
				require.Equal(t, http.StatusAccepted, status, answer)
				require.Contains(t, answer, `"accepted":0`, "%s: %q", field, text)
			}
		}
		p.eventually("the texts are stored as they are", func() bool {
			// but for NUL
			return s.Count(t, "SELECT count() AS n FROM events WHERE device = app_version") == len(injections())-1
		})
		require.Equal(t, 1, s.Count(t, `SELECT count() AS n FROM events WHERE device = '\'; DROP TABLE events; --'`))
	})

	t.Run("bombs", func(t *testing.T) {
		var bomb bytes.Buffer
		z := gzip.NewWriter(&bomb)
		zeros := make([]byte, 1<<20)
		for range 512 {
			_, err := z.Write(zeros)
			require.NoError(t, err)
		}
		require.NoError(t, z.Close())
		require.Less(t, bomb.Len(), 1<<20, "it is small enough to be let in")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, _, answer := p.request("POST", "/api/v1/events", bomb.String(), "Authorization", user,
			"Content-Encoding", "gzip", "Content-Type", "application/json")
		runtime.ReadMemStats(&after)
		require.Equal(t, http.StatusRequestEntityTooLarge, status, answer)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20), "it was not unpacked")
		for name, body := range map[string]string{
			"depth of arrays": `{"events":` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + `}`,
			"depth of objects": `{"events":[` + strings.Repeat(`{"a":`, 150_000) + "1" + strings.Repeat("}", 150_000) +
				`]}`,
			"depth, unclosed": strings.Repeat(`{"a":[`, 150_000),
			"a long number":   `{"events":[{"post_id":` + strings.Repeat("9", 900_000) + `}]}`,
			"a long string":   `{"events":[{"device":"` + strings.Repeat("a", 900_000) + `"}]}`,
			"many members":    `{` + strings.TrimSuffix(strings.Repeat(`"a":1,`, 150_000), ",") + `}`,
			"many events":     `{"events":[` + strings.TrimSuffix(strings.Repeat(`{},`, 300_000), ",") + `]}`,
		} {
			status, _, answer := p.request("POST", "/api/v1/events", body, "Authorization", user)
			require.True(t, status == http.StatusAccepted && strings.Contains(answer, `"accepted":0`) ||
				status == http.StatusBadRequest, "%s: %d %s", name, status, answer)
		}
	})
	_, now := p.feed(viewer, "limit=5")
	require.NotEmpty(t, now.Items, "all goes on")
}

func TestAUserIsHeldToTheirRateWithRedisAndWithoutAndAServiceIsLogged(t *testing.T) {
	s := stack.Own(t)
	cfg := settings(t, s, "api")
	cfg.RateLimit.UserPerMinute = 20
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	core, lines := observer.New(zap.InfoLevel)
	started, err := app.Start(t.Context(), cfg, zap.New(core))
	require.NoError(t, err)
	p := &program{
		t: t, cfg: cfg, url: "http://" + started.Addr(),
		client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second},
	}
	defer func() { p.client.CloseIdleConnections(); require.NoError(t, started.Stop()) }()

	refused := func(authorization string, headers ...string) (n int) {
		for range 60 {
			status, header, _ := p.request("GET", "/api/v1/feed/trending", "",
				append(headers, "Authorization", authorization)...)
			if status == http.StatusTooManyRequests {
				require.NotEmpty(t, header.Get("Retry-After"))
				n++
			}
		}
		return n
	}
	require.GreaterOrEqual(t, refused(token(t, p, 21, false)), 20)
	require.Zero(t, func() int {
		status, _, _ := p.request("GET", "/api/v1/feed/trending", "", "Authorization", token(t, p, 22, false))
		return status - 200
	}(), "others are not")
	require.NoError(t, s.Servers.Redis.Kill())
	require.GreaterOrEqual(t, refused(token(t, p, 23, false)), 20, "each replica counts alone")

	service, err := auth.SignService(cfg.Auth, "mailer", time.Hour, time.Now())
	require.NoError(t, err)
	require.GreaterOrEqual(t, refused("Bearer "+service, auth.HeaderActAs, "24"), 20,
		"the user's rate holds for whoever calls for them")
	said := lines.FilterMessage("a service acts as a user").All()
	require.NotEmpty(t, said)
	require.Equal(t, "mailer", said[0].ContextMap()["service"])
	require.Equal(t, "24", fmt.Sprint(said[0].ContextMap()["user"]))
}
