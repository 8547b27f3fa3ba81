package e2e

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

// onServers are the addresses of servers, as the environment of a command has them: it goes over the file.
func onServers(cfg config.Config) []string {
	return []string{
		"FEEDRANK_POSTGRES__DSN=" + cfg.Postgres.DSN,
		"FEEDRANK_CLICKHOUSE__ADDRS=" + strings.Join(cfg.ClickHouse.Addrs, ","),
		"FEEDRANK_CLICKHOUSE__USER=" + cfg.ClickHouse.User, "FEEDRANK_CLICKHOUSE__PASSWORD=" + cfg.ClickHouse.Password,
		"FEEDRANK_CLICKHOUSE__DATABASE=" + cfg.ClickHouse.Database,
		"FEEDRANK_KAFKA__BROKERS=" + strings.Join(cfg.Kafka.Brokers, ","),
		"FEEDRANK_KAFKA__TOPIC_PREFIX=" + cfg.Kafka.TopicPrefix, "FEEDRANK_KAFKA__REPLICATION_FACTOR=1",
		"FEEDRANK_REDIS__ADDRS=" + strings.Join(cfg.Redis.Addrs, ","), "FEEDRANK_REDIS__DISABLE_CACHE=true",
		"FEEDRANK_CDC__SOURCE__SLOT=" + cfg.CDC.Source.Slot,
		"FEEDRANK_CDC__SOURCE__PUBLICATION=" + cfg.CDC.Source.Publication,
		"FEEDRANK_HTTP__ADDR=" + cfg.HTTP.Addr,
	}
}

// shell is how what is typed in a folder with bin/feedrank is run.
func shell(dir string, env []string, typed string) *osexec.Cmd {
	cmd := osexec.Command("bash", "-c", typed)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), env...), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	return cmd
}

// begin starts a command that goes on until the test ends.
func begin(t *testing.T, cmd *osexec.Cmd) *proc.Child {
	t.Helper()
	child, err := proc.Start(cmd, syscall.SIGTERM)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proc.KillTree(child.PID())) })
	return child
}
