package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	guides "github.com/feedrank/feedrank/test/documented"
	"github.com/feedrank/feedrank/test/installed"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// theirTables are of an app that has never heard of us.
const theirTables = `
	CREATE TABLE members (id bigint PRIMARY KEY, nick text, joined_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE articles (
		id bigint PRIMARY KEY, member_id bigint NOT NULL REFERENCES members, text text,
		published_at timestamptz NOT NULL DEFAULT now(), removed_at timestamptz);
	CREATE TABLE subscriptions (
		reader_id bigint REFERENCES members, writer_id bigint REFERENCES members,
		created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (reader_id, writer_id));
	INSERT INTO members SELECT g, 'm' || g FROM generate_series(1, 5) g;
	INSERT INTO subscriptions VALUES (1, 2), (1, 3);
	INSERT INTO articles SELECT 10 + g, 2 + g % 2, 'text' FROM generate_series(0, 5) g;
	UPDATE articles SET removed_at = now() WHERE id = 11;`

// steps are what README.md tells to type, in its order.
func steps(t *testing.T) string {
	t.Helper()
	part := guides.Part(t, filepath.Join("..", "..", "README.md"), "connect")
	fences := guides.Fences(part, "sh")
	require.Len(t, fences, 5, "five steps")
	var all strings.Builder
	for i, fence := range fences {
		require.Contains(t, part, fmt.Sprintf("\n%d. ", i+1))
		all.WriteString(fence)
	}
	return all.String()
}

// TestTheFiveStepsOfTheReadmeConnectAnAppsDatabase types what README.md says, with the addresses of the test's servers
// in the environment, which goes over the file.
func TestTheFiveStepsOfTheReadmeConnectAnAppsDatabase(t *testing.T) {
	addresses := embeddedtest.Stack(t).Addresses()
	at := stack.Configs(addresses)
	at.PostgresConfig.DSN, at.KafkaConfig.TopicPrefix = embeddedtest.NewDatabase(t), embeddedtest.Prefix(t)
	at.ClickHouseConfig.Database = embeddedtest.NewClickHouseDatabase(t)
	at.RedisConfig.Addrs = []string{embeddedtest.NewRedis(t)}
	cfg := settings(t, at)
	cfg.HTTP.Addr = nowhere(t)
	conn, err := pgx.Connect(t.Context(), cfg.Postgres.DSN)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), theirTables)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))

	addr := cfg.HTTP.Addr
	cmd := shell(installed.Dir(t), onServers(cfg), "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null' EXIT\n"+
		strings.ReplaceAll(steps(t), "127.0.0.1:8080", addr)+"\necho; echo token=$TOKEN\nwait\n")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	begin(t, cmd)
	defer func() {
		if t.Failed() {
			t.Log(said.String())
		}
	}()

	token := ""
	for lines := bufio.NewScanner(out); token == "" && lines.Scan(); {
		t.Log(lines.Text())
		token = strings.TrimPrefix(lines.Text(), "token=")
		if token == lines.Text() {
			token = ""
		}
	}
	require.NotEmpty(t, token, "the steps ended before the last one")
	go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	wait.Until(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/api/v1/feed", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		var got page
		require.NoError(t, json.Unmarshal(body, &got), string(body))
		shown := map[string]bool{}
		for _, item := range got.Items {
			shown[item.Post.String()] = true
		}
		return shown["10"] && shown["12"] && !shown["11"]
	}, "the feed has what the writers published, and not what was removed")
}
