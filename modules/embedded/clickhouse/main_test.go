//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
)

// childEnv makes the test binary a server on the directory that it names: in the tests' own process it would end that, if
// the gate failed.
const (
	childEnv = "CLICKHOUSE_TEST_CHILD_DIR"
	addrEnv  = "CLICKHOUSE_TEST_CHILD_ADDR"
	httpEnv  = "CLICKHOUSE_TEST_CHILD_HTTP"
)

const (
	testUser     = "tester"
	testPassword = "s3cret 'quoted' <&>"
	testDatabase = "tests"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(beServer(dir))
	}
	code := m.Run()
	if shared != nil {
		shared.end()
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

func beServer(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // the tests are gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	reader := User{Name: "reader", Password: "look", Grants: []string{"GRANT SELECT ON tests.*"}}
	err := Run(ctx, Options{
		Addr: os.Getenv(addrEnv), HTTPAddr: os.Getenv(httpEnv), DataDir: dir, Library: libraryPath(), User: testUser, Password: testPassword,
		Users: []User{reader}, Database: testDatabase, Cluster: &Cluster{Name: "feedrank", Secret: "x", Shards: [][]string{{os.Getenv(addrEnv)}}},
	}, func(addr string) { _, _ = fmt.Fprintln(os.Stdout, "ready "+addr) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func libraryPath() string {
	servers := os.Getenv("FEEDRANK_SERVERS_DIR")
	if servers == "" {
		servers = ".." // modules/embedded
	}
	found, _ := filepath.Glob(filepath.Join(servers, "node_modules/@chdb/*/libchdb.so"))
	if len(found) == 0 {
		return "libchdb.so"
	}
	return found[0]
}

// child is a server in a process of its own.
type child struct {
	cmd             *exec.Cmd
	addr, http, dir string
}

var shared *child // of the tests that do not kill it

func sharedChild(t testing.TB) *child {
	t.Helper()
	if shared == nil {
		dir, err := os.MkdirTemp("", "feedrank-clickhouse-")
		require.NoError(t, err)
		shared = start(t, dir)
	}
	return shared
}

// freePort is below the range of outgoing connections: nothing else takes it meanwhile.
func freePort(t testing.TB) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; ; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			require.NoError(t, listener.Close())
			return listener.Addr().String()
		}
	}
}

func start(t testing.TB, dir string) *child {
	t.Helper()
	c := &child{addr: freePort(t), dir: dir}
	_, port, err := net.SplitHostPort(c.addr)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	c.http = net.JoinHostPort("127.0.0.1", strconv.Itoa(number+1))
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childEnv+"="+dir, addrEnv+"="+c.addr, httpEnv+"="+c.http)
	c.cmd.Stderr = os.Stderr
	_, err = c.cmd.StdinPipe() // ends with this process
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready "+c.addr {
		t.Log(lines.Text())
	}
	require.Equal(t, "ready "+c.addr, lines.Text())
	return c
}

func (c *child) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func (c *child) options() ch.Options {
	return ch.Options{Address: c.addr, User: testUser, Password: testPassword, Database: testDatabase}
}

func (c *child) dial(t testing.TB, change ...func(*ch.Options)) *ch.Client {
	t.Helper()
	o := c.options()
	for _, f := range change {
		f(&o)
	}
	client, err := ch.Dial(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// do runs a statement, whether it returns rows or not.
func do(t testing.TB, c *ch.Client, body string) {
	t.Helper()
	require.NoError(t, c.Do(context.Background(), ch.Query{
		Body: body, Result: new(proto.Results).Auto(), OnResult: func(context.Context, proto.Block) error { return nil },
	}), body)
}

// number runs a query that returns one UInt64.
func number(t testing.TB, c *ch.Client, body string) uint64 {
	t.Helper()
	var n proto.ColUInt64
	require.NoError(t, c.Do(context.Background(), ch.Query{Body: body, Result: proto.Results{{Data: &n}}}), body)
	require.Equal(t, 1, n.Rows(), body)
	return n.Row(0)
}

func requireCode(t testing.TB, code proto.Error, err error) {
	t.Helper()
	e, ok := ch.AsException(err)
	require.True(t, ok, "%v is not an exception", err)
	require.Equal(t, code, e.Code, "%v", err)
}
