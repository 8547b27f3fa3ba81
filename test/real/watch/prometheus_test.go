//go:build real

package watch_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// server is a Prometheus that collects a world's metrics each second.
type server struct {
	t   *testing.T
	url string
}

func prometheus(t *testing.T, w *world) *server {
	t.Helper()
	dir := t.TempDir()
	alerts, err := filepath.Abs(filepath.Join(rulesDir, "alerts.yml"))
	require.NoError(t, err)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `global: {scrape_interval: 1s, evaluation_interval: 2s}
rule_files: [%q]
scrape_configs: [{job_name: feedrank, static_configs: [{targets: [%q]}]}]
`, alerts, w.dev.Program.AdminAddr()), 0o600))
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	command := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var log strings.Builder
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start(), "Prometheus of Debian: test/real/fetch.sh installs it")
	t.Cleanup(func() {
		require.NoError(t, command.Process.Kill())
		_ = command.Wait() // it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	})
	s := &server{t: t, url: "http://" + address}
	wait.Until(t, func() bool {
		response, err := http.Get(s.url + "/-/ready")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, "Prometheus to be ready")
	return s
}

// shown are the variables that Grafana sets.
var shown = strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m")

// ask counts the series of an expression that have a value now, by what Prometheus answers; one that it cannot read
// fails the test.
func (s *server) ask(expr string) (series int) {
	s.t.Helper()
	response, err := http.Get(s.url + "/api/v1/query?query=" + url.QueryEscape(shown.Replace(expr)))
	require.NoError(s.t, err)
	var answer struct {
		Status string
		Error  string
		Data   struct {
			Result []struct{ Value [2]any }
		}
	}
	require.NoError(s.t, json.NewDecoder(response.Body).Decode(&answer))
	require.NoError(s.t, response.Body.Close())
	require.Equalf(s.t, "success", answer.Status, "%s: %s", expr, answer.Error)
	for _, one := range answer.Data.Result {
		if one.Value[1] != "NaN" {
			series++
		}
	}
	return series
}
