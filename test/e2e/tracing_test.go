package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/otlp"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent  = "00-" + callersTrace + "-00f067aa0ba902b7-01"
)

// TestATraceGoesFromTheRequestThroughKafkaIntoClickHouse starts the api and the consumer as two processes would be.
func TestATraceGoesFromTheRequestThroughKafkaIntoClickHouse(t *testing.T) {
	to, s := otlp.New(t), stack.New(t)
	cfg := settings(t, s, string(app.API))
	cfg.Tracing.Endpoint, cfg.Tracing.Callers, cfg.Tracing.Sample = to.URL, true, 0
	cfg.Tracing.Every = 50 * time.Millisecond
	api := start(t, cfg)
	cfg.Roles = []string{string(app.EventsConsumer)}
	running(t, cfg)

	require.Equal(t, http.StatusAccepted, api.traced(http.MethodPost, "/api/v1/events", traceparent))
	requirePath(t, to, callersTrace, "POST /api/v1/events", "kafka call", "kafka publish", "events batch",
		"clickhouse event_insert")

	other := strings.ReplaceAll(traceparent, "4bf9", "5cf9")
	require.Equal(t, http.StatusOK, api.traced(http.MethodGet, "/api/v1/feed", other))
	otherTrace := strings.ReplaceAll(callersTrace, "4bf9", "5cf9")
	requirePath(t, to, otherTrace, "GET /api/v1/feed", "hydrate", "redis call")
	requirePath(t, to, otherTrace, "GET /api/v1/feed", "reserve", "hydrate", "clickhouse call",
		"clickhouse feed_viewer_edge_rows")

	before := len(to.Of(""))
	require.Equal(t, http.StatusOK, api.traced(http.MethodGet, "/api/v1/feed", ""))
	require.Equal(t, http.StatusOK, api.traced(http.MethodGet, "/healthz", traceparent))
	require.Len(t, to.Of(""), before, "neither what is not sampled nor probes")
	exemplars := api.metrics("application/openmetrics-text; version=1.0.0")
	require.Contains(t, exemplars, `# {trace_id="`+otherTrace+`"}`)
	require.NotContains(t, api.metrics("text/plain"), "trace_id")
}

// TestNobodyWaitsForACollectorThatIsAway holds that requests are answered while spans are dropped and counted.
func TestNobodyWaitsForACollectorThatIsAway(t *testing.T) {
	cfg := settings(t, stack.New(t), string(app.API))
	cfg.Tracing.Endpoint, cfg.Tracing.Sample = "http://"+nowhere(t)+"/v1/traces", 1
	cfg.Tracing.Every, cfg.Tracing.Queue = 50*time.Millisecond, 100
	p := start(t, cfg)
	for range 40 { // of several spans each
		require.Equal(t, http.StatusOK, p.traced(http.MethodGet, "/api/v1/feed/trending", ""))
	}
	wait.Until(t, func() bool {
		require.Equal(t, http.StatusOK, p.traced(http.MethodGet, "/api/v1/feed/trending", ""))
		return !strings.Contains(p.metrics("text/plain"), `feedrank_tracing_dropped_spans_total{reason="queue_full"} 0`)
	})
	require.Contains(t, p.metrics("text/plain"), "feedrank_tracing_sent_spans_total 0\n")
}

// requirePath waits until a trace has a way from its root down to the first span of the last name.
func requirePath(t *testing.T, to *otlp.Receiver, trace string, path ...string) {
	t.Helper()
	wait.Until(t, func() bool { return slices.Equal(path, to.Path(trace, path[len(path)-1])) }, path)
}

// traced makes a call with a traceparent, or none, and returns its status. An event is one of its own.
func (p *program) traced(method, path, traceparent string) int {
	p.t.Helper()
	body := `{"events": [{"event_id": "` + uuid.NewString() + `", "action": "view", "post_id": "7", "author_id": "3", ` +
		`"occurred_at": "` + time.Now().UTC().Format(time.RFC3339) + `"}]}`
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	token, err := auth.Sign(p.cfg.Auth, core.ID(1), false, time.Hour, time.Now())
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	if traceparent != "" {
		request.Header.Set("Traceparent", traceparent)
	}
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode
}

// metrics is the page of metrics in a form.
func (p *program) metrics(accept string) string {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/metrics", nil)
	require.NoError(p.t, err)
	request.Header.Set("Accept", accept)
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return string(text)
}
