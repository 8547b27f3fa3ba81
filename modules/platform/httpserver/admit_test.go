package httpserver_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func TestCallsAreRefusedBeforeFeedsAndOperatorsNever(t *testing.T) {
	cfg := admission.DefaultConfig()
	cfg.MaxConcurrent, cfg.MinConcurrent, cfg.MaxWait = 4, 4, 0
	gate := admission.New(cfg, core.SystemClock{}, prometheus.NewRegistry())
	entered, release := make(chan struct{}, 4), make(chan struct{})
	hold := func(echo.Context) error {
		entered <- struct{}{}
		<-release
		return nil
	}
	fine := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	feed := route("/feed", httpserver.User, fine)
	feed.Class = admission.Feed
	s, client := serveWith(t, nil, []httpserver.Option{httpserver.WithGate(gate)},
		route("/hold", httpserver.User, hold),
		route("/events", httpserver.User, fine), feed, route("/admin", httpserver.Admin, fine),
		route("/health", httpserver.Public, fine))
	url := "http://" + s.Addr()
	var held sync.WaitGroup
	for range 3 {
		held.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/hold", nil)
			if err != nil {
				return
			}
			request.Header.Set("Authorization", "user")
			if response, err := client.Do(request); err == nil {
				_ = response.Body.Close()
			}
		})
		<-entered
	}
	response, problem := call(t, client, http.MethodPost, url+"/events", "user", nil) //nolint:bodyclose // call closes it
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, core.CodeOverloaded, problem.Code)
	require.Contains(t, []string{"1", "2"}, response.Header.Get("Retry-After"))
	for path, token := range map[string]string{"/feed": "user", "/admin": "admin", "/health": ""} {
		response, _ := call(t, client, http.MethodPost, url+path, token, nil) //nolint:bodyclose // call closes it
		require.Equal(t, http.StatusNoContent, response.StatusCode, path)
	}
	close(release)
	held.Wait()
	response, _ = call(t, client, http.MethodPost, url+"/events", "user", nil) //nolint:bodyclose // call closes it
	require.Equal(t, http.StatusNoContent, response.StatusCode, "and each place came back")
}
