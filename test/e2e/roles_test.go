package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func contains(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }

// members counts the members of our consumer groups.
func members(t *testing.T, cfg kafka.Config) int {
	t.Helper()
	config, err := cfg.Sarama()
	require.NoError(t, err)
	admin, err := sarama.NewClusterAdmin(cfg.Brokers, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	groups, err := admin.ListConsumerGroups()
	require.NoError(t, err)
	count := 0
	for name := range groups {
		if !strings.HasPrefix(name, cfg.TopicPrefix) {
			continue
		}
		described, err := admin.DescribeConsumerGroups([]string{name})
		require.NoError(t, err)
		for _, d := range described {
			count += len(d.Members)
		}
	}
	return count
}

func TestAnAPIReplicaJoinsNoConsumerGroup(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "api"))
	p.eventually("the API answers", func() bool {
		status, _ := p.feed(viewer, "")
		return status == http.StatusOK
	})
	require.Zero(t, members(t, p.cfg.Kafka))

	consumers := settings(t, s, "events-consumer", "cdc-consumer")
	start(t, consumers)
	wait.Until(t, func() bool { return members(t, p.cfg.Kafka) >= 2 }, "the test can see members")
}

func TestAConsumerServesOnlyHealthAndMetrics(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "cdc-consumer"))
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200,
		"/api/v1/feed": 404, "/api/v1/feed/trending": 404, "/api/v1/events": 404, "/admin/v1/breaker": 404,
	} {
		status, body := p.call(http.MethodGet, path, viewer, "")
		require.Equal(t, want, status, "%s: %s", path, body)
	}
}

func TestAFailedStartNamesTheKeyAndLeavesNothingRunning(t *testing.T) {
	s := stack.New(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	cfg := settings(t, s, "all")
	cfg.HTTP.Addr = taken.Addr().String()
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	_, err = app.Start(t.Context(), cfg, zap.NewNop())
	require.ErrorContains(t, err, "http.addr "+cfg.HTTP.Addr) // goleak looks for what is left
}

func TestReplicasThatMigrateAtOnceTakeTurns(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	_, err := s.Postgres.Exec(t.Context(), "DROP SCHEMA feedrank CASCADE")
	require.NoError(t, err)
	cfg.ClickHouse.Database += "_again"

	plan, err := app.Migrate(t.Context(), cfg, true)
	require.NoError(t, err)
	for _, step := range plan {
		require.Contains(t, []string{"apply", "create"}, step.Action, "%+v", step)
	}
	var replicas sync.WaitGroup
	failures := make([]error, 4)
	for i := range failures {
		replicas.Go(func() { _, failures[i] = app.Migrate(t.Context(), cfg, false) })
	}
	replicas.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	plan, err = app.Migrate(t.Context(), cfg, true)
	require.NoError(t, err)
	for _, step := range plan {
		require.Contains(t, []string{"applied already", "keep"}, step.Action, "%+v", step)
	}
}

func TestBadInputGetsAClearAnswer(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "api"))
	for _, bad := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/api/v1/feed?limit=0", "", 400, "invalid_request"},
		{"GET", "/api/v1/feed?limit=101", "", 400, "invalid_request"},
		{"GET", "/api/v1/feed?algo=best", "", 400, "invalid_request"},
		{"GET", "/api/v1/feed?user=2", "", 400, "invalid_request"},
		{"GET", "/api/v1/feed?cursor=AAAA", "", 400, "invalid_cursor"},
		{"GET", "/api/v1/feed/trending?window=2h", "", 400, "invalid_request"},
		{"GET", "/api/v1/feed/trending?limit=201", "", 400, "invalid_request"},
		{"POST", "/api/v1/events", "", 400, "malformed_json"},
		{"POST", "/api/v1/events", `{"events":`, 400, "malformed_json"},
		{"POST", "/api/v1/events", `[]`, 400, "malformed_json"},
		{"POST", "/api/v1/events", `{"events":[]}`, 400, "invalid_request"},
		{"POST", "/api/v1/events", `{"events":[` + strings.Repeat(`{},`, 100) + `{}]}`, 400, "invalid_request"},
		{"POST", "/api/v1/events", `{"events":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body_too_large"},
		{"PUT", "/api/v1/events", "", 405, "method_not_allowed"},
		{"GET", "/api/v2/feed", "", 404, "not_found"},
		{"GET", "/admin/v1/breaker", "", 403, "forbidden"},
	} {
		status, body := p.call(bad.method, bad.path, viewer, bad.body)
		var problem struct {
			Code   string
			Status int
			Detail string
		}
		require.NoError(t, json.Unmarshal(body, &problem), "%s %s: %s", bad.method, bad.path, body)
		require.Equal(t, bad.status, status, "%s %s: %s", bad.method, bad.path, body)
		require.Equal(t, bad.code, problem.Code, "%s %s: %s", bad.method, bad.path, body)
		require.NotEmpty(t, problem.Detail)
	}
	status, _ := p.call(http.MethodGet, "/api/v1/feed", 0, "")
	require.Equal(t, http.StatusUnauthorized, status)
}
