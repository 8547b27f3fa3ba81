package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/test/wait"
)

// served is a server with health and nothing else, at an address for users and one for operators.
type served struct {
	*ops.Health
	users, operators string
	log              *observer.ObservedLogs
}

func serve(t *testing.T, checks ...ops.Check) *served {
	t.Helper()
	observed, log := observer.New(zap.InfoLevel)
	health := ops.NewHealth(checks, ops.NewRegistry(), core.SystemClock{}, zap.New(observed))
	cfg := httpserver.DefaultConfig()
	cfg.Addr, cfg.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	s := httpserver.New(cfg, health.Routes(), nil, health, nil, prometheus.NewRegistry(), zap.NewNop())
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return &served{health, "http://" + s.Addr(), "http://" + s.AdminAddr(), log}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url) // a test, and the server is its own
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(body)
}

func up(context.Context) error   { return nil }
func down(context.Context) error { return errors.New("dial tcp 10.1.2.3:6379: connection refused") }

func TestReadinessNamesEachDependency(t *testing.T) {
	for name, c := range map[string]struct {
		checks []ops.Check
		status int
		word   string
	}{
		"all well": {[]ops.Check{{Name: "redis", Probe: up}}, 200, "ready"},
		"a lost cache": {
			[]ops.Check{{Name: "redis", Probe: down}, {Name: "feed", Critical: true, Probe: up}},
			200, "degraded",
		},
		"a critical one lost": {
			[]ops.Check{{Name: "redis", Probe: down}, {Name: "feed", Critical: true, Probe: down}},
			503, "not_ready",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.checks...)
			for _, url := range []string{s.users, s.operators} {
				status, body := get(t, url+"/readyz")
				require.Equal(t, c.status, status)
				var readiness ops.Readiness
				require.NoError(t, json.Unmarshal([]byte(body), &readiness))
				require.Equal(t, c.word, readiness.Status)
				require.Len(t, readiness.Checks, len(c.checks))
			}
		})
	}
}

func TestWhatIsWrongIsToldToOperatorsAndTheLogAndAWordOfItToStrangers(t *testing.T) {
	s := serve(t, ops.Check{Name: "redis", Probe: down}, ops.Check{Name: "kafka", Probe: up})
	_, body := get(t, s.users+"/readyz")
	require.JSONEq(t, `{"status":"degraded","checks":{"redis":"failing","kafka":"ok"}}`, body)
	_, body = get(t, s.operators+"/readyz")
	require.JSONEq(t, `{"status":"degraded","checks":{"redis":"dial tcp 10.1.2.3:6379: connection refused","kafka":"ok"}}`, body)
	said := s.log.FilterMessage("a dependency is not well").All()
	require.Len(t, said, 1, "once, however often it is asked")
	require.Equal(t, "dial tcp 10.1.2.3:6379: connection refused", said[0].ContextMap()["reason"])
}

func TestProbesAreSharedForASecondWhoeverAsks(t *testing.T) {
	var asked atomic.Int32
	var failing atomic.Bool
	s := serve(t, ops.Check{Name: "redis", Probe: func(ctx context.Context) error {
		asked.Add(1)
		if failing.Load() {
			return down(ctx)
		}
		return nil
	}})
	began := time.Now()
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			url := s.users
			if i%2 == 0 {
				url = s.operators
			}
			_, _ = get(t, url+"/readyz")
		})
	}
	all.Wait()
	require.LessOrEqual(t, int(asked.Load()), 1+int(time.Since(began)/time.Second))

	failing.Store(true)
	wait.Until(t, func() bool {
		_, body := get(t, s.users+"/readyz")
		return body != "" && json.Valid([]byte(body)) && s.log.FilterMessage("a dependency is not well").Len() == 1
	}, "after a second it is asked again")
	failing.Store(false)
	wait.Until(t, func() bool {
		_, _ = get(t, s.users+"/readyz")
		return s.log.FilterMessage("a dependency is well again").Len() == 1
	})
}

func TestAHangingDependencyDoesNotHangReadiness(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hang := func(context.Context) error { <-release; return nil }
	s := serve(t, ops.Check{Name: "clickhouse", Probe: hang})
	status, body := get(t, s.operators+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "deadline")
}

func TestAReplicaThatDrainsIsNotReadyAndStillAlive(t *testing.T) {
	s := serve(t)
	s.Drain()
	for _, url := range []string{s.users, s.operators} {
		status, body := get(t, url+"/readyz")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, body, "draining")
		status, _ = get(t, url+"/healthz")
		require.Equal(t, http.StatusOK, status)
	}
	status, body := get(t, s.operators+"/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "go_goroutines")
}
