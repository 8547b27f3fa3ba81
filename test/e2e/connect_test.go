package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/wait"
)

// asCommand makes this test program be bin/feedrank.
const asCommand = "FEEDRANK_TEST_AS_COMMAND"

func beCommandIfAsked() {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main("test"))
	}
}

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
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "<!-- connect")
	require.True(t, found)
	part, _, found := strings.Cut(rest, "<!-- /connect -->")
	require.True(t, found)
	fences := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1)
	require.Len(t, fences, 5, "five steps")
	var all strings.Builder
	for i, fence := range fences {
		require.Contains(t, part, fmt.Sprintf("\n%d. ", i+1))
		all.WriteString(fence[1])
	}
	return all.String()
}

// TestTheFiveStepsOfTheReadmeConnectAnAppsDatabase types what README.md says, with the addresses of the test's servers
// in the environment, which goes over the file.
func TestTheFiveStepsOfTheReadmeConnectAnAppsDatabase(t *testing.T) {
	addresses := embeddedtest.Stack(t).Addresses()
	dsn, prefix := embeddedtest.NewDatabase(t), embeddedtest.Prefix(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), theirTables)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())

	dir := t.TempDir()
	program, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "feedrank"),
		[]byte("#!/bin/sh\n"+asCommand+"=1 exec '"+program+"' \"$@\"\n"), 0o700))

	slot := "s" + strings.Trim(strings.NewReplacer(".", "", "-", "").Replace(prefix), "_")
	script := "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null' EXIT\n" +
		strings.ReplaceAll(steps(t), "127.0.0.1:8080", addr) + "\necho; echo token=$TOKEN\nwait\n"
	cmd := osexec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"FEEDRANK_POSTGRES__DSN="+dsn,
		"FEEDRANK_CLICKHOUSE__ADDRS="+addresses.ClickHouse.Addr, "FEEDRANK_CLICKHOUSE__USER="+addresses.ClickHouse.User,
		"FEEDRANK_CLICKHOUSE__PASSWORD="+addresses.ClickHouse.Password,
		"FEEDRANK_CLICKHOUSE__DATABASE="+embeddedtest.NewClickHouseDatabase(t),
		"FEEDRANK_KAFKA__BROKERS="+strings.Join(addresses.Kafka.Brokers, ","), "FEEDRANK_KAFKA__TOPIC_PREFIX="+prefix,
		"FEEDRANK_KAFKA__REPLICATION_FACTOR=1",
		"FEEDRANK_REDIS__ADDRS="+embeddedtest.NewRedis(t), "FEEDRANK_REDIS__DISABLE_CACHE=true",
		"FEEDRANK_CDC__SOURCE__SLOT="+slot, "FEEDRANK_CDC__SOURCE__PUBLICATION="+slot,
		"FEEDRANK_HTTP__ADDR="+addr)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	child, err := proc.Start(cmd, syscall.SIGTERM)
	require.NoError(t, err)
	defer func() {
		if t.Failed() {
			t.Log(said.String())
		}
	}()
	t.Cleanup(func() { require.NoError(t, proc.KillTree(child.PID())) })

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
