//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/chpool"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

func TestManyClientsWorkAtOnce(t *testing.T) {
	const clients, rounds = 100, 3
	setup := dial(t)
	table(t, setup, "crowded", "a UInt64")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	pool, err := chpool.Dial(ctx, chpool.Options{ClientOptions: options(), MaxConns: clients})
	require.NoError(t, err)
	defer pool.Close()
	var wg sync.WaitGroup
	errs := make(chan error, clients)
	for i := range clients {
		wg.Go(func() {
			for round := range rounds {
				if err := crowd(ctx, pool, i, round); err != nil {
					errs <- fmt.Errorf("client %d round %d: %w", i, round, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, uint64(clients*rounds*10), number(t, setup, "SELECT count() FROM crowded"))
}

// crowd inserts, reads with settings and parameters of its own, and provokes an error.
func crowd(ctx context.Context, pool *chpool.Pool, client, round int) error {
	input := proto.Input{{Name: "a", Data: numbers(client*1000+round*10, 10)}}
	if err := pool.Do(ctx, ch.Query{Body: input.Into("crowded"), Input: input}); err != nil {
		return err
	}
	var who, block proto.ColStr
	err := pool.Do(ctx, ch.Query{
		Body:       "SELECT {who:String} AS who, toString(getSetting('max_block_size')) AS block",
		Parameters: ch.Parameters(map[string]any{"who": client}),
		Settings:   []ch.Setting{ch.SettingInt("max_block_size", 1000+client)},
		Result:     proto.Results{{Name: "who", Data: &who}, {Name: "block", Data: &block}},
	})
	if err != nil {
		return err
	}
	if who.Row(0) != fmt.Sprint(client) || block.Row(0) != fmt.Sprint(1000+client) {
		return fmt.Errorf("got the answer of another: %s, %s", who.Row(0), block.Row(0))
	}
	if err := pool.Do(ctx, ch.Query{Body: "SELECT nope"}); !ch.IsErr(err, proto.ErrUnknownIdentifier) {
		return fmt.Errorf("not the expected exception: %w", err)
	}
	return nil
}

// child is a server in a process of its own.
type child struct {
	cmd  *exec.Cmd
	addr string
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ch := &child{cmd: cmd}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	ch.addr = strings.TrimSpace(line)
	return ch
}

func (c *child) dial(t *testing.T) *ch.Client {
	t.Helper()
	return dial(t, func(o *ch.Options) { o.Address, o.Database = c.addr, "default" })
}

func TestAcknowledgedRowsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	var acknowledged atomic.Int64
	const batch = 100
	for range 3 {
		server := startChild(t, dir)
		c := server.dial(t)
		do(t, c, "CREATE TABLE IF NOT EXISTS kept (a UInt64) ENGINE = MergeTree ORDER BY a")
		begin := acknowledged.Load()
		ended := make(chan error, 1)
		go func() {
			for {
				n := int(acknowledged.Load())
				if err := insertNumbers(t, c, "kept", n*batch, batch); err != nil {
					ended <- err
					return
				}
				acknowledged.Add(1)
			}
		}()
		wait.Until(t, func() bool { return acknowledged.Load() > begin+20 })
		require.NoError(t, server.cmd.Process.Kill())
		_ = server.cmd.Wait()
		require.Error(t, <-ended)
	}
	server := startChild(t, dir)
	c := server.dial(t)
	last := uint64(acknowledged.Load()) * batch
	require.Equal(t, last, number(t, c, fmt.Sprintf("SELECT uniqExact(a) FROM kept WHERE a < %d", last)))
	require.LessOrEqual(t, number(t, c, "SELECT max(a) FROM kept"), last+batch, "at most the one insert that was under way")
	require.Equal(t, uint64(0), number(t, c, "SELECT toUInt64(count() % 100) FROM kept"), "whole blocks or nothing")

	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.cmd.Wait(), "it stops cleanly when asked")
}

func TestADirectoryHasOneWriter(t *testing.T) {
	err := Run(context.Background(), Options{DataDir: shared.dir}, func(string) { t.Error("it must not start") })
	require.ErrorContains(t, err, "in use by another process (pid "+fmt.Sprint(os.Getpid())+")")
}

func TestAMissingLibraryIsExplainedWithWhatToUseInstead(t *testing.T) {
	t.Setenv(LibraryEnv, "/nowhere/libchdb.so")
	err := Run(context.Background(), Options{DataDir: t.TempDir()}, nil)
	require.ErrorIs(t, err, ErrNoLibrary)
	t.Chdir(t.TempDir())
	t.Setenv(LibraryEnv, "")
	_, ok := libraryPackage("plan9", "mips")
	require.False(t, ok)
	_, err = FindLibrary()
	require.ErrorIs(t, err, ErrNoLibrary)
	require.ErrorContains(t, err, "make servers")
	require.ErrorContains(t, err, "clickhouse.addrs")
}
