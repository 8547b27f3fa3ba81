//go:build real

package real_test

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/documented"
	"github.com/feedrank/feedrank/test/real/servers"
)

// TestTheFirstFeedOfTheGuide types what config/README.md says under "The first feed": with the archive that a release
// has, as its binary, on servers as they are installed. It tells how long that took.
func TestTheFirstFeedOfTheGuide(t *testing.T) {
	began := time.Now()
	s := theStack(t)
	t.Logf("servers after %s", time.Since(began).Round(time.Millisecond))
	part := documented.Part(t, "../../config/README.md", "first feed")
	statements, commands := documented.Fences(part, "sql"), documented.Fences(part, "sh")
	require.Len(t, statements, 1)
	require.Len(t, commands, 4)

	dir := t.TempDir()
	archive(t, dir)
	postgresDir, err := os.MkdirTemp("", "feedrank-postgres-") // another user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(postgresDir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(postgresDir)) })
	server, err := servers.NewPostgres(t.Context(), postgresDir)
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	redis, err := servers.NewRedis(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.NoError(t, redis.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, redis.Stop(context.WithoutCancel(t.Context()))) })

	typing := time.Now()
	admin, err := pgx.Connect(t.Context(), servers.DSNBy(server, "postgres"))
	require.NoError(t, err)
	address := free(t)
	here := strings.NewReplacer("…", rand.Text(), "127.0.0.1:5432", server.Addr(), "127.0.0.1:8080", address,
		"ROLE app", "ROLE guided", "OWNER app", "OWNER guided", "//app:", "//guided:") // the server's administrator is app
	plain := regexp.MustCompile(`--.*`).ReplaceAllString(here.Replace(statements[0]), "")
	for statement := range strings.SplitSeq(plain, ";") {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, admin.Close(t.Context()))
	require.NoError(t, server.Stop(t.Context()))
	require.NoError(t, server.Start(t.Context()))

	script := here.Replace(strings.Join(commands, ""))
	cmd := exec.Command("bash", "-euxo", "pipefail", "-c", script+"\necho; kill %1; wait %1")
	cmd.Dir = dir
	c := s.Configs
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "FEEDRANK_HTTP__ADDR=" + address,
		"FEEDRANK_CLICKHOUSE__ADDRS=" + c.ClickHouseConfig.Addrs[0],
		"FEEDRANK_CLICKHOUSE__USER=" + c.ClickHouseConfig.User,
		"FEEDRANK_CLICKHOUSE__PASSWORD=" + c.ClickHouseConfig.Password, "FEEDRANK_CLICKHOUSE__DATABASE=first_feed",
		"FEEDRANK_KAFKA__BROKERS=" + c.KafkaConfig.Brokers[0], "FEEDRANK_KAFKA__TOPIC_PREFIX=first_feed.",
		"FEEDRANK_REDIS__ADDRS=" + redis.Addr(),
	}
	said := filepath.Join(dir, "said")
	file, err := os.Create(said)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	cmd.Stdout, cmd.Stderr = file, file
	child, err := proc.Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proc.KillTree(child.PID())) })
	ended := child.WaitFor(5 * time.Minute)
	out, err := os.ReadFile(said)
	require.NoError(t, err)
	require.True(t, ended, "%s", out)
	require.NoError(t, child.Err(), "%s", out)
	require.Regexp(t, `"items":\[\{"post":"\d+"`, string(out), "the first feed")
	require.Contains(t, string(out), "things that were looked at", "of doctor")
	t.Logf("typed in %s: from the guide's first line to the feed, and doctor",
		time.Since(typing).Round(100*time.Millisecond))
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// archive makes what a release has: config/release/build.sh asks for a version and a commit.
func archive(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "feedrank-v0.0.0-linux-amd64")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "config"), 0o755))
	for _, command := range [][]string{
		{"go", "build", "-tags", "production,validator_novalidatefn", "-o", filepath.Join(folder, "feedrank"), "../.."},
		{"cp", "../../sql/postgres/example/schema.sql", filepath.Join(folder, "config", "example.sql")},
		{
			"tar", "-C", filepath.Dir(folder), "-czf", filepath.Join(dir, "feedrank-v0.0.0-linux-amd64.tar.gz"),
			filepath.Base(folder),
		},
	} {
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}
