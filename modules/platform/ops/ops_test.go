package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

func get(t *testing.T, health *ops.Health, path string) (int, string) {
	t.Helper()
	e := echo.New()
	for _, r := range health.Routes() {
		e.Add(r.Method, r.Path, r.Handler)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func up(context.Context) error   { return nil }
func down(context.Context) error { return errors.New("connection refused") }

func TestReadinessNamesEachDependency(t *testing.T) {
	for name, c := range map[string]struct {
		checks []ops.Check
		status int
		word   string
	}{
		"all well":            {[]ops.Check{{Name: "redis", Probe: up}}, 200, "ready"},
		"a lost cache":        {[]ops.Check{{Name: "redis", Probe: down}, {Name: "feed", Critical: true, Probe: up}}, 200, "degraded"},
		"a critical one lost": {[]ops.Check{{Name: "redis", Probe: down}, {Name: "feed", Critical: true, Probe: down}}, 503, "not_ready"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := get(t, ops.NewHealth(c.checks, ops.NewRegistry()), "/readyz")
			require.Equal(t, c.status, status)
			var readiness ops.Readiness
			require.NoError(t, json.Unmarshal([]byte(body), &readiness))
			require.Equal(t, c.word, readiness.Status)
			require.Len(t, readiness.Checks, len(c.checks))
		})
	}
}

func TestAHangingDependencyDoesNotHangReadiness(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hang := func(context.Context) error { <-release; return nil }
	status, body := get(t, ops.NewHealth([]ops.Check{{Name: "clickhouse", Probe: hang}}, ops.NewRegistry()), "/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "deadline")
}

func TestAReplicaThatDrainsIsNotReadyAndStillAlive(t *testing.T) {
	health := ops.NewHealth(nil, ops.NewRegistry())
	health.Drain()
	status, body := get(t, health, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "draining")
	status, _ = get(t, health, "/healthz")
	require.Equal(t, http.StatusOK, status)
	status, body = get(t, health, "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "go_goroutines")
}
