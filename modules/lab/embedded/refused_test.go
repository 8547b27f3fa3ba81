//go:build (linux || darwin) && !noembedded

package embedded_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/clickhouse"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
)

// refused runs ClickHouse in this process, which must not come so far as to start it.
func refused(t *testing.T, change func(*clickhouse.Options)) error {
	t.Helper()
	t.Setenv("TZ", os.Getenv("TZ"))
	o := clickhouse.Options{
		Addr: listening(t, "127.0.0.1:0", true), DataDir: t.TempDir(),
		Library: filepath.Join(t.TempDir(), "libchdb.so"),
		User:    "admin", Database: "feedrank", Logger: zap.NewNop(),
	}
	change(&o)
	err := clickhouse.Run(t.Context(), o, func(string) { require.Fail(t, "it serves") })
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n", "one line")
	return err
}

// listening takes an address, until the test ends or at once gives it back.
func listening(t *testing.T, addr string, free bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	if free {
		require.NoError(t, listener.Close())
	} else {
		t.Cleanup(func() { _ = listener.Close() })
	}
	return listener.Addr().String()
}

func TestWhyClickHouseCannotServeIsALineThatSaysWhatToDo(t *testing.T) {
	t.Run("no library", func(t *testing.T) {
		err := refused(t, func(*clickhouse.Options) {})
		require.ErrorIs(t, err, clickhouse.ErrNoLibrary)
		require.ErrorContains(t, err, "run `make servers`, or point clickhouse.addrs at a server of your own")
	})
	t.Run("another library", func(t *testing.T) {
		err := refused(t, func(o *clickhouse.Options) { o.Library = "libc.so.6" })
		require.ErrorIs(t, err, clickhouse.ErrNoLibrary)
		require.ErrorContains(t, err, "so it is not of the version that this program needs: run `make servers`")
	})
	t.Run("no library at all", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "libchdb.so")
		require.NoError(t, os.WriteFile(file, []byte("no library"), 0o600))
		require.ErrorIs(t, refused(t, func(o *clickhouse.Options) { o.Library = file }), clickhouse.ErrNoLibrary)
	})
	for name, take := range map[string]func(*testing.T, *clickhouse.Options){
		"its port is taken": func(t *testing.T,
			o *clickhouse.Options,
		) {
			o.Addr = listening(t, "127.0.0.1:0", false)
		},
		"its HTTP port is taken": func(t *testing.T,
			o *clickhouse.Options,
		) {
			o.HTTPAddr = listening(t, "127.0.0.1:0", false)
		},
		"the server's own port is taken": func(t *testing.T, o *clickhouse.Options) {
			_, port, err := net.SplitHostPort(o.Addr)
			require.NoError(t, err)
			listening(t, net.JoinHostPort("127.0.0.2", port), false)
			// a system may have no such address
			if second, err := net.Listen("tcp", net.JoinHostPort("::1", port)); err == nil {
				t.Cleanup(func() { _ = second.Close() })
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := refused(t, func(o *clickhouse.Options) { take(t, o) })
			require.NotErrorIs(t, err, clickhouse.ErrNoLibrary)
			require.ErrorContains(t, err, ": end what uses the port, or choose another")
		})
	}
	t.Run("an odd name", func(t *testing.T) {
		require.ErrorContains(t, refused(t, func(o *clickhouse.Options) { o.Database = "a b" }),
			`"a b" is no plain name`)
		require.ErrorContains(t, refused(t, func(o *clickhouse.Options) { o.Profile = map[string]string{"x/>": "1"} }),
			"is no plain name")
	})
}

func TestADirectoryInUseIsRefusedAndItsServerGoesOn(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.ClickHouse)
	data := filepath.Join(stack.Dir(), "clickhouse", "data")
	err := refused(t, func(o *clickhouse.Options) { o.DataDir = data })
	require.ErrorContains(t, err, data+" is in use by another ClickHouse: end that one, or choose another directory")
	same(t, clickhouseOf(stack))

	require.NoError(t, stack.ClickHouse.Kill())
	conn, err := net.DialTimeout("tcp", stack.ClickHouse.Addr(), time.Second)
	require.Error(t, err, "%v", conn)
	require.NoError(t, stack.ClickHouse.Start(limited(t)), "the lock went with the process")
}
