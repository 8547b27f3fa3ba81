package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/wait"
)

type admin struct{}

func (admin) Authenticate(http.Header) (httpserver.Principal, error) {
	return httpserver.Principal{Subject: "operator", Admin: true}, nil
}
func (admin) Drain() {}

func TestTheAdminCallsTellTheLastReportAndRunOneAtATime(t *testing.T) {
	w := newWorld(t)
	cfg := httpserver.DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	server := httpserver.New(cfg, NewAPI(w.service).Routes(), admin{}, admin{}, nil, prometheus.NewRegistry(),
		zaptest.NewLogger(t))
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	call := func(method, path, body string, status int) map[string]any {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+server.Addr()+"/admin/v1/audit"+path,
			bytes.NewBufferString(body))
		require.NoError(t, err)
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, status, response.StatusCode, "%s %s: %s", method, path, text)
		var answer map[string]any
		require.NoError(t, json.Unmarshal(text, &answer))
		return answer
	}
	empty := call("GET", "", "", 200)
	require.Nil(t, empty["last"])
	require.Equal(t, false, empty["running"])

	call("POST", "/run", "{", 400)
	call("POST", "/run", `{"since":"soon"}`, 400)
	call("POST", "/run", `{"since":"-1h"}`, 400)
	call("POST", "/run?x=1", "", 400)
	unlock, err := w.service.store.lock(t.Context()) // another process audits
	require.NoError(t, err)
	require.Equal(t, true, call("GET", "", "", 200)["running"])
	require.Equal(t, "conflict", call("POST", "/run", "", 409)["code"])
	_, err = w.service.Run(t.Context(), w.service.Defaults())
	require.ErrorIs(t, err, ErrRunning)
	require.NoError(t, unlock())

	require.Equal(t, "96h0m0s", call("POST", "/run", `{"since":"96h","repair":false}`, 202)["since"])
	wait.Until(t, func() bool {
		answer := call("GET", "", "", 200)
		return answer["running"] == false && answer["last"] != nil
	})
	require.Equal(t, true, call("GET", "", "", 200)["ok"])
}
