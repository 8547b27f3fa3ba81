// Package adminapi serves routes of /admin/v1 to a test, and calls them.
package adminapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// operator is who calls: everybody here is one.
type operator struct{}

func (operator) Authenticate(http.Header) (httpserver.Principal, error) {
	return httpserver.Principal{Subject: "operator", Admin: true}, nil
}

func (operator) Drain() {}

// Call asks a route below the prefix, with a body that may be empty. The answer has that status, and is an object.
type Call func(method, path, body string, status int) map[string]any

// Serve serves routes until the test ends. Calls go below prefix.
func Serve(t *testing.T, prefix string, routes []httpserver.Route) Call {
	t.Helper()
	cfg := httpserver.DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	server := httpserver.New(cfg, routes, operator{}, operator{}, nil, prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(method, path, body string, status int) map[string]any {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+server.Addr()+prefix+path,
			strings.NewReader(body))
		require.NoError(t, err)
		response, err := client.Do(r)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, status, response.StatusCode, "%s %s: %s", method, path, text)
		var answer map[string]any
		require.NoError(t, json.Unmarshal(text, &answer))
		return answer
	}
}
