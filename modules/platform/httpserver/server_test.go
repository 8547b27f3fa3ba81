package httpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/httpserver/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byHeader takes the Authorization header itself for the principal.
type byHeader struct{}

func (byHeader) Authenticate(h http.Header) (httpserver.Principal, error) {
	switch h.Get("Authorization") {
	case "user":
		return httpserver.Principal{UserID: 7}, nil
	case "service":
		return httpserver.Principal{UserID: 8, Service: "mailer"}, nil
	case "admin":
		return httpserver.Principal{Subject: "root", Admin: true}, nil
	case "nameless":
		return httpserver.Principal{Admin: true}, nil
	case "ana":
		return httpserver.Principal{Subject: "ana", Admin: true}, nil
	case "odd":
		return httpserver.Principal{Subject: "a\x00", UserID: 9}, nil
	case "reader":
		return httpserver.Principal{Subject: "ben", AdminRead: true}, nil
	default:
		return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "no token")
	}
}

type drained struct{ called bool }

func (d *drained) Drain() { d.called = true }

func serve(t *testing.T, change func(*httpserver.Config), routes ...httpserver.Route) (url string,
	client *http.Client,
) {
	t.Helper()
	s, client := serveWith(t, change, nil, routes...)
	return "http://" + s.Addr(), client
}

func serveWith(t *testing.T, change func(*httpserver.Config), options []httpserver.Option,
	routes ...httpserver.Route,
) (*httpserver.Server, *http.Client) {
	t.Helper()
	cfg := httpserver.DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	drainer := &drained{}
	s := httpserver.New(cfg, routes, byHeader{}, drainer, nil, prometheus.NewRegistry(), zaptest.NewLogger(t),
		options...)
	require.NoError(t, s.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // what hangs is a failure
		defer cancel()
		require.NoError(t, s.Stop(ctx))
		require.True(t, drainer.called)
	})
	return s, client
}

func route(path string, access httpserver.Access, handler echo.HandlerFunc) httpserver.Route {
	return httpserver.Route{Method: http.MethodPost, Path: path, Access: access, Handler: handler}
}

func call(t *testing.T, client *http.Client, method, url, token string, body io.Reader) (*http.Response,
	problem.Document,
) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	request.Header.Set("Authorization", token)
	response, err := client.Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	var found problem.Document
	if response.StatusCode >= 400 {
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
		require.NoError(t, json.Unmarshal(text, &found), string(text))
		require.Equal(t, response.StatusCode, found.Status)
		require.NotEmpty(t, found.Detail)
		require.Equal(t, response.Header.Get("X-Request-Id"), found.RequestID)
	}
	return response, found
}

func TestAnErrorOfAHandlerBecomesAProblemWithItsCode(t *testing.T) {
	fail := func(err error) echo.HandlerFunc { return func(echo.Context) error { return err } }
	url, client := serve(t, nil,
		route("/field", httpserver.Public, fail(core.InvalidField("limit", "want 1 to 100"))),
		route("/down", httpserver.Public,
			fail(core.Unavailable("Kafka", 1500*time.Millisecond, errors.New("dial tcp: secret address")))),
		route("/bug", httpserver.Public, fail(errors.New("secret detail"))),
		route("/panic", httpserver.Public, func(echo.Context) error { panic("secret detail") }),
	)
	for path, want := range map[string]struct {
		status int
		code   core.Code
	}{
		"/field": {400, core.CodeInvalidRequest}, "/down": {503, core.CodeUnavailable},
		"/bug":   {500, core.CodeInternal},
		"/panic": {500, core.CodeInternal}, "/nowhere": {404, core.CodeNotFound},
	} {
		response, problem := call(t, client, http.MethodPost, url+path, "", nil)
		require.Equal(t, want.status, response.StatusCode, path)
		require.Equal(t, want.code, problem.Code, path)
		require.NotContains(t, problem.Detail, "secret", "what is inside stays inside")
		if path == "/down" {
			require.Equal(t, "2", response.Header.Get("Retry-After"))
		}
	}
	_, problem := call(t, client, http.MethodPut, url+"/field", "", nil)
	require.Equal(t, core.CodeMethod, problem.Code)
}

func TestARouteLetsInOnlyWhoItIsFor(t *testing.T) {
	who := func(c echo.Context) error { return c.String(http.StatusOK, httpserver.UserID(c).String()) }
	url, client := serve(t, nil, route("/user", httpserver.User, who), route("/admin", httpserver.Admin, who))
	for _, try := range []struct {
		path, token string
		status      int
	}{
		{"/user", "", 401},
		{"/user", "user", 200},
		{"/user", "service", 200},
		{"/user", "admin", 403},
		{"/admin", "service", 403},
		{"/admin", "user", 403},
		{"/admin", "admin", 200},
	} {
		response, _ := call(t, client, http.MethodPost, url+try.path, try.token, nil)
		require.Equal(t, try.status, response.StatusCode, "%s as %q", try.path, try.token)
	}
}

func TestABodyIsTakenUpToItsLimitAndNotAByteBeyondWhetherOrNotItSaysHowLongItIs(t *testing.T) {
	const most = 70_000
	length := func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, strconv.Itoa(len(body)))
	}
	url, client := serve(t, func(c *httpserver.Config) { c.MaxBodyBytes = most }, route("/", httpserver.Public, length))
	for _, size := range []int{1, 4095, 4096, 4097, most - 1, most} {
		for name, body := range map[string]io.Reader{
			"with a length": strings.NewReader(strings.Repeat("x", size)),
			"chunked":       io.MultiReader(strings.NewReader(strings.Repeat("x", size))),
		} {
			response, err := client.Post(url+"/", "", body)
			require.NoError(t, err)
			text, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode, "%d %s", size, name)
			require.Equal(t, strconv.Itoa(size), string(text), name)
		}
	}
	for _, size := range []int{most + 1, 2 * most, 5 << 20} {
		for name, body := range map[string]io.Reader{
			"with a length": strings.NewReader(strings.Repeat("x", size)),
			"chunked":       io.MultiReader(strings.NewReader(strings.Repeat("x", size))),
		} {
			response, problem := call(t, client, http.MethodPost, url+"/", "", body)
			require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, "%d %s", size, name)
			require.Equal(t, core.CodeTooLarge, problem.Code, name)
		}
	}
}

func TestMoreRequestsAtOnceThanAllowedAreShed(t *testing.T) {
	entered, release := make(chan struct{}, 10), make(chan struct{})
	var holding atomic.Int32
	hold := func(echo.Context) error {
		if entered <- struct{}{}; holding.Add(1) == 1 {
			<-release // a second one, which must not come here, is answered: the test fails, and does not hang
		}
		return nil
	}
	url, client := serve(t, func(c *httpserver.Config) { c.MaxConcurrent = 1 }, route("/", httpserver.User, hold),
		route("/probe", httpserver.Public, ok), route("/admin", httpserver.Admin, ok))
	first := make(chan int, 1)
	go func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", nil)
		if err != nil {
			first <- 0
			return
		}
		request.Header.Set("Authorization", "user")
		response, err := client.Do(request)
		if err != nil {
			first <- 0
			return
		}
		_ = response.Body.Close()
		first <- response.StatusCode
	}()
	<-entered
	defer func() {
		close(release)
		require.Equal(t, http.StatusOK, <-first)
	}()
	response, problem := call(t, client, http.MethodPost, url+"/", "user", nil)
	require.Equal(t, core.CodeOverloaded, problem.Code)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	for path, token := range map[string]string{"/probe": "", "/admin": "admin"} {
		response, _ = call(t, client, http.MethodPost, url+path, token, nil)
		require.Equal(t, http.StatusNoContent, response.StatusCode, "%s has places of its own", path)
	}
}

func TestAHandlerThatTakesTooLongIsATimeout(t *testing.T) {
	slow := func(c echo.Context) error {
		<-c.Request().Context().Done()
		return c.Request().Context().Err()
	}
	url, client := serve(t, func(c *httpserver.Config) { c.RequestTimeout = 10 * time.Millisecond },
		route("/", httpserver.Public, slow))
	_, problem := call(t, client, http.MethodPost, url+"/", "", nil)
	require.Equal(t, core.CodeTimeout, problem.Code)
}

func TestAPortInUseFailsTheStartAndNamesTheKey(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	cfg := httpserver.DefaultConfig()
	cfg.Addr = taken.Addr().String()
	s := httpserver.New(cfg, nil, byHeader{}, &drained{}, nil, prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.ErrorContains(t, s.Start(t.Context()), "http.addr "+cfg.Addr)
}

func TestQueriesAreReadStrictly(t *testing.T) {
	handler := func(c echo.Context) error {
		q := httpserver.NewQuery(c, "limit", "algo", "explain", "user")
		q.Int("limit", 1, 100, 20)
		q.OneOf("algo", "ranked", "timeline")
		q.Bool("explain")
		q.Key("user", func(_ context.Context, text string) (core.ID, error) { return core.IntegerKeys.ID(text) })
		return q.Err()
	}
	url, client := serve(t, nil, route("/", httpserver.Public, handler))
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=x": "limit", "limit=99999999999999999999": "limit", "limit=1&limit=2": "limit",
		"algo=best": "algo", "explain=maybe": "explain", "user=0": "user", "user=x": "user",
		"lim=3": "lim", "%zz=1": "",
		strings.Repeat("n", 300) + "=1": strings.Repeat("n", 64),
	} {
		_, problem := call(t, client, http.MethodPost, url+"/?"+query, "", nil)
		require.Equal(t, core.CodeInvalidRequest, problem.Code, query)
		require.Equal(t, field, problem.Field, query)
	}
	for _, query := range []string{"", "limit=100", "algo=timeline&explain=1&user=5", "user=-1"} {
		response, _ := call(t, client, http.MethodPost, url+"/?"+query, "", nil)
		require.Equal(t, http.StatusOK, response.StatusCode, query)
	}
}
