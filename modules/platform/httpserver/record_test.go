package httpserver_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

type recorded struct {
	mu      sync.Mutex
	actions []httpserver.Action
	full    bool
}

func (r *recorded) Ready() error {
	if r.full {
		return core.Unavailable("the record", 0, nil)
	}
	return nil
}

func (r *recorded) Record(_ context.Context, a httpserver.Action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.actions = append(r.actions, a)
}

func TestWhatAnOperatorChangesIsRecordedAndNothingElse(t *testing.T) {
	record := &recorded{}
	done := func(c echo.Context) error {
		httpserver.Changed(c, map[string]int{"v": 1}, map[string]int{"v": 2})
		return c.NoContent(http.StatusNoContent)
	}
	admin := func(method, path string, reads bool, handler echo.HandlerFunc) httpserver.Route {
		return httpserver.Route{
			Method: method, Path: path, Access: httpserver.Admin, Reads: reads,
			What: "thing.change", Handler: handler,
		}
	}
	unseen := admin(http.MethodPost, "/look", true, done)
	unseen.What = ""
	s, client := serveWith(t, nil, []httpserver.Option{httpserver.WithRecorder(record, core.SystemClock{})},
		admin(http.MethodPut, "/things/:id", false, done),
		admin(http.MethodGet, "/things", false, done),
		unseen, admin(http.MethodPost, "/watched", true, done),
		admin(http.MethodPost, "/try", false, func(c echo.Context) error {
			httpserver.ChangedNothing(c)
			return done(c)
		}),
		admin(http.MethodPost, "/wrong", false, func(echo.Context) error { return core.InvalidField("x", "no") }),
		admin(http.MethodPost, "/fails", false, func(echo.Context) error { return core.Unavailable("it", 0, nil) }),
		route("/user", httpserver.User, done))
	url := "http://" + s.Addr()
	for _, c := range []struct {
		method, path, token string
		status, recorded    int
	}{
		{"PUT", "/things/42", "ana", 204, 1},
		{"GET", "/things", "ana", 204, 0},
		{"GET", "/things", "reader", 204, 0},
		{"GET", "/things", "user", 403, 0},
		{"GET", "/things", "service", 403, 0},
		{"POST", "/look", "reader", 204, 0},
		{"POST", "/watched", "ana", 204, 1},
		{"POST", "/watched", "reader", 204, 1},
		{"POST", "/watched", "nameless", 403, 0},
		{"POST", "/try", "ana", 204, 0},
		{"POST", "/wrong", "ana", 400, 0},
		{"POST", "/fails", "ana", 503, 1},
		{"PUT", "/things/42", "reader", 403, 0},
		{"PUT", "/things/42", "nameless", 403, 0},
		{"PUT", "/things/42", "user", 403, 0},
		{"PUT", "/things/42", "", 401, 0},
		{"POST", "/user", "user", 204, 0},
		{"GET", "/things", "nameless", 204, 0},
	} {
		record.actions = nil
		response, _ := call(t, client, c.method, url+c.path, c.token, nil) //nolint:bodyclose // read and closed
		require.Equal(t, c.status, response.StatusCode, "%v", c)
		record.mu.Lock()
		require.Len(t, record.actions, c.recorded, "%v", c)
		if c.recorded > 0 {
			a := record.actions[0]
			require.Equal(t, map[string]string{"ana": "ana", "reader": "ben"}[c.token], a.Who)
			require.Equal(t, "thing.change", a.What)
			require.Equal(t, c.status, a.Status)
			require.NotZero(t, a.At)
			require.Equal(t, response.Header.Get("X-Request-Id"), a.RequestID)
			require.Equal(t, "127.0.0.1", a.Address)
		}
		if c.path == "/things/42" && c.recorded > 0 {
			require.Equal(t, "42", record.actions[0].Target)
			require.Equal(t, map[string]int{"v": 1}, record.actions[0].Before)
			require.Equal(t, map[string]int{"v": 2}, record.actions[0].After)
		}
		record.mu.Unlock()
	}
	record.full = true
	response, _ := call(t, client, "PUT", url+"/things/42", "ana", nil) //nolint:bodyclose // read and closed
	require.Equal(t, 503, response.StatusCode, "nothing is changed without a record")
}
