package httpserver_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/wait"
)

// drainerFunc is what is done while the server drains.
type drainerFunc func()

func (f drainerFunc) Drain() { f() }

func start(t *testing.T, drain func(), routes ...httpserver.Route) *httpserver.Server {
	t.Helper()
	cfg := httpserver.DefaultConfig()
	cfg.Addr, cfg.DrainDelay = "127.0.0.1:0", 0
	s := httpserver.New(cfg, routes, byHeader{}, drainerFunc(drain), nil, prometheus.NewRegistry(),
		zaptest.NewLogger(t))
	require.NoError(t, s.Start(t.Context()))
	return s
}

func TestAServerThatDrainsAnswersAndHasClientsMoveOn(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{}}
	var s *httpserver.Server
	ask := func() (closes bool) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+"/", nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		return response.Close
	}
	asked := 0
	s = start(t, func() {
		for range 3 { // on the connection that was kept, and on new ones
			asked++
			require.True(t, ask())
		}
	}, get("/", httpserver.Public))
	require.False(t, ask())
	require.NoError(t, s.Stop(context.Background()))
	require.Equal(t, 3, asked)
}

func TestAStopWaitsForTheRequestsUnderWay(t *testing.T) {
	begun, answer := make(chan struct{}), make(chan struct{})
	s := start(t, func() {}, httpserver.Route{
		Method: http.MethodGet, Path: "/", Access: httpserver.Public,
		Handler: func(c echo.Context) error {
			close(begun)
			<-answer
			return c.NoContent(http.StatusNoContent)
		},
	})
	client := &http.Client{Transport: &http.Transport{}}
	status, stopped := make(chan int, 1), make(chan error, 1)
	go func() {
		response, err := client.Get("http://" + s.Addr() + "/")
		if err != nil {
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	<-begun
	go func() { stopped <- s.Stop(context.Background()) }()
	wait.Until(t, func() bool { // nobody is let in any more
		conn, err := net.Dial("tcp", s.Addr())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	require.Empty(t, stopped)
	close(answer)
	require.Equal(t, http.StatusNoContent, <-status)
	require.NoError(t, <-stopped)
}
