package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/wait"
)

func serverOf(stack *embedded.Stack, name string) *embedded.Server {
	for _, server := range stack.Servers() {
		if server.Name() == name {
			return server
		}
	}
	return nil
}

func TestAServerComesBackOnItsAddressWithItsDataAfterAKillAndAfterAStop(t *testing.T) {
	stack := embeddedtest.Own(t)
	for _, name := range embedded.Names() {
		t.Run(name, func(t *testing.T) {
			server, words := serverOf(stack, name), storeIn(stack, name)
			addr, first := server.Addr(), server.PID()
			words.add(t, "a")

			require.NoError(t, server.Kill())
			require.False(t, proc.Alive(first))
			require.Zero(t, server.PID())
			_, err := net.DialTimeout("tcp", addr, time.Second)
			require.Error(t, err)
			<-server.Exited()

			start := time.Now()
			require.NoError(t, server.Start(limited(t)))
			t.Logf("%s: start after a kill %s", name, time.Since(start))
			require.Equal(t, addr, server.Addr())
			require.NotEqual(t, first, server.PID())
			if name == embedded.Redis {
				require.Empty(t, words.read(t), "a cache comes back empty")
			} else {
				require.Equal(t, []string{"a"}, words.read(t))
			}

			words.add(t, "b")
			start = time.Now()
			require.NoError(t, server.Restart(limited(t)))
			t.Logf("%s: restart %s", name, time.Since(start))
			require.Equal(t, addr, server.Addr())
			if name != embedded.Redis {
				require.Equal(t, []string{"a", "b"}, words.read(t))
			}
		})
	}
}

func TestAFrozenServerKeepsItsConnectionsAndAnswersWhenItThaws(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.Postgres, embedded.Kafka)
	for _, name := range []string{embedded.Postgres, embedded.Kafka} {
		t.Run(name, func(t *testing.T) {
			server, words := serverOf(stack, name), storeIn(stack, name)
			words.add(t, "a")
			require.NoError(t, server.Freeze())

			done := make(chan []string, 1)
			go func() { done <- words.read(t) }()
			select {
			case <-done:
				t.Fatal("a frozen server answered")
			case <-time.After(300 * time.Millisecond):
			}
			require.NoError(t, server.Thaw())
			require.Equal(t, []string{"a"}, <-done)
		})
	}
}

func TestAFrozenServerCanBeStoppedAndKilled(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.Postgres, embedded.Redis)
	for _, server := range stack.Servers() {
		require.NoError(t, server.Freeze())
		require.NoError(t, server.Stop(limited(t)))
		require.NoError(t, server.Start(limited(t)))
		require.NoError(t, server.Freeze())
		require.NoError(t, server.Kill())
		require.NoError(t, server.Thaw(), "of a server that is gone: nothing to do")
		require.NoError(t, server.Start(limited(t)))
		require.NoError(t, server.Freeze(), "and Own's Stop ends a frozen one")
	}
}

func TestPostgresRecoversAfterAKillButNotAfterAStop(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Postgres).Postgres
	const recovered = "database system was not properly shut down"

	require.NoError(t, server.Restart(limited(t)))
	require.NotContains(t, readFile(t, server.LogPath()), recovered)

	require.NoError(t, server.Kill())
	require.NoError(t, server.Start(limited(t)))
	require.Contains(t, readFile(t, server.LogPath()), recovered)
}

func TestPostgresIsSetUpForReplicationInUTF8AndTheCLocale(t *testing.T) {
	ctx := limited(t)
	conn, err := pgx.Connect(ctx, embeddedtest.NewDatabase(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	for setting, want := range map[string]string{
		"wal_level": "logical", "server_encoding": "UTF8", "fsync": "on", "max_connections": "200",
		"shared_memory_type": "mmap", "unix_socket_directories": "", "is_superuser": "on", "TimeZone": "UTC",
	} {
		var got string
		require.NoError(t, conn.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
	var collation string
	require.NoError(t, conn.QueryRow(ctx,
		"SELECT datcollate FROM pg_database WHERE datname = current_database()").Scan(&collation))
	require.Equal(t, "C", collation)
	_, err = conn.Exec(ctx, "SELECT pg_create_logical_replication_slot('left_behind_'||current_database(), 'pgoutput')")
	require.NoError(t, err, "and NewDatabase drops the slot with the database")
}

func TestPostgresWantsItsPassword(t *testing.T) {
	dsn := embeddedtest.Stack(t).Addresses().Postgres.DSN
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	config.Password = "wrong"
	_, err = pgx.ConnectConfig(limited(t), config)
	require.ErrorContains(t, err, "password authentication failed")
}

func TestPostgresEndsWithItsSupervisorAndStartsAgain(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.Postgres)
	words := storeIn(stack, embedded.Postgres)
	words.add(t, "a")
	server := stack.Postgres
	supervisor := parentOf(t, server.PID())
	tree, err := proc.Descendants(supervisor)
	require.NoError(t, err)
	require.Greater(t, len(tree), 1)
	exited := server.Exited()

	require.NoError(t, syscallKill(supervisor))
	<-exited
	require.NoError(t, server.Start(limited(t)), "while PostgreSQL is still on its way out")
	for _, pid := range tree {
		requireGone(t, pid)
	}
	require.Equal(t, []string{"a"}, words.read(t))
}

func TestAServerThatIsKilledByOthersIsNoticed(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Redis).Redis
	select {
	case <-server.Exited():
		t.Fatal("it runs")
	default:
	}
	require.NoError(t, syscallKill(server.PID()))
	<-server.Exited()
	require.Zero(t, server.PID())
	require.NoError(t, server.Start(limited(t)))
	require.NotZero(t, server.PID())
}

func TestStartStopAndKillMayComeFromManyAtOnce(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Redis).Redis
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 5 {
				var err error
				switch i {
				case 0:
					err = server.Stop(limited(t))
				case 1:
					err = server.Kill()
				default:
					err = server.Start(limited(t))
				}
				if err != nil {
					t.Error(err)
				}
				_, _ = server.PID(), server.Addr()
			}
		})
	}
	wg.Wait()
	require.NoError(t, server.Start(limited(t)))
	require.Empty(t, inRedis(server.Addr()).read(t))
}

func TestATakenPortNamesTheFileToDelete(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Redis).Redis
	require.NoError(t, server.Stop(limited(t)))
	other, err := net.Listen("tcp", server.Addr())
	require.NoError(t, err)

	err = server.Start(limited(t))
	require.ErrorIs(t, err, stackdir.ErrPortTaken)
	require.ErrorContains(t, err, filepath.Join("redis", "port"))

	require.NoError(t, other.Close())
	require.NoError(t, server.Start(limited(t)))
}

func TestAServerThatDoesNotComeUpSaysWhatItPrinted(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.Postgres)
	server := stack.Postgres
	before, err := proc.Descendants(parentOf(t, server.PID()))
	require.NoError(t, err)
	require.NotEmpty(t, before)
	require.NoError(t, server.Stop(limited(t)))
	version := filepath.Join(stack.Dir(), "postgres", "data", "PG_VERSION")
	right := readFile(t, version)
	require.NoError(t, os.WriteFile(version, []byte("9.1\n"), 0o600))

	err = server.Start(limited(t))
	require.ErrorContains(t, err, "start postgres: it ended before it served")
	require.ErrorContains(t, err, "postgres.log")
	require.ErrorContains(t, err, "9.1")
	for _, pid := range before {
		require.False(t, proc.Alive(pid))
	}

	require.NoError(t, os.WriteFile(version, []byte(right), 0o600))
	require.NoError(t, server.Start(limited(t)))
}

func TestAStartIsGivenUpWithItsContext(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Postgres).Postgres
	require.NoError(t, server.Kill())
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	require.ErrorIs(t, server.Start(ctx), cause)
	require.Zero(t, server.PID())
	require.NoError(t, server.Start(limited(t)))
}

func TestALongLogIsCutAtTheNextStart(t *testing.T) {
	server := embeddedtest.Own(t, embedded.Redis).Redis
	require.NoError(t, os.WriteFile(server.LogPath(), []byte(strings.Repeat("x", 17<<20)), 0o600))
	require.NoError(t, server.Restart(limited(t)))
	info, err := os.Stat(server.LogPath())
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1<<20))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	wait.Until(t, func() bool { return !proc.Alive(pid) }, "pid "+strconv.Itoa(pid))
}
