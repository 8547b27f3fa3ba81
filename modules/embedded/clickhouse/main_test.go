//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childEnv makes the test binary a server on the directory that it names, for the tests that kill one.
const (
	childEnv       = "CLICKHOUSE_TEST_CHILD_DIR"
	childMemoryEnv = "CLICKHOUSE_TEST_CHILD_MEMORY"
)

const (
	testUser     = "tester"
	testPassword = "s3cret 'quoted'"
	testDatabase = "tests"
)

// shared is the server that the tests of this package use; an engine cannot be had twice in one process.
var shared struct {
	addr, dir string
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(serveChild(dir))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "feedrank-clickhouse-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	shared.dir = dir
	ctx, stop := context.WithCancel(context.Background())
	addr := make(chan string, 1)
	ended := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		ended <- Run(ctx, Options{
			DataDir: dir, User: testUser, Password: testPassword, Database: testDatabase,
		}, func(a string) { addr <- a })
	})
	select {
	case shared.addr = <-addr:
	case err := <-ended:
		fmt.Fprintln(os.Stderr, "start the server:", err)
		stop()
		return 1
	}
	code := m.Run()
	stop()
	wg.Wait()
	if err := <-ended; err != nil {
		fmt.Fprintln(os.Stderr, "stop the server:", err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

func serveChild(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	memory, _ := strconv.ParseInt(os.Getenv(childMemoryEnv), 10, 64)
	err := Run(ctx, Options{DataDir: dir, Password: testPassword, User: testUser, MemoryLimit: memory}, func(addr string) {
		_, _ = fmt.Fprintln(os.Stdout, addr)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func options() ch.Options {
	return ch.Options{Address: shared.addr, User: testUser, Password: testPassword, Database: testDatabase}
}

// ownSession is a session on the shared server's engine that does not go through the server.
func ownSession(t testing.TB) *session {
	t.Helper()
	library, err := FindLibrary()
	require.NoError(t, err)
	e, err := openEngine(library, shared.dir, 4<<30)
	require.NoError(t, err)
	t.Cleanup(e.close)
	return e.keeper
}

func dial(t testing.TB, change ...func(*ch.Options)) *ch.Client {
	t.Helper()
	o := options()
	for _, f := range change {
		f(&o)
	}
	c, err := ch.Dial(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// do runs a statement, whether it returns rows or not.
func do(t testing.TB, c *ch.Client, body string) {
	t.Helper()
	require.NoError(t, c.Do(context.Background(), ch.Query{
		Body: body, Result: new(proto.Results).Auto(), OnResult: func(context.Context, proto.Block) error { return nil },
	}), body)
}
