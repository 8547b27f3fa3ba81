package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/wait"
)

// clickhouseServer is ClickHouse as these tests see it.
type clickhouseServer struct {
	server                                       *embedded.Server
	pid                                          int
	addr, http, database, user, password, reader string
}

// sharedClickHouse is one with a user who reads.
func sharedClickHouse(t *testing.T) *clickhouseServer {
	t.Helper()
	stack := embeddedtest.OwnWith(t, embedded.Options{
		Only:             []string{embedded.ClickHouse},
		ClickHouseGrants: "CREATE USER IF NOT EXISTS reader IDENTIFIED BY ''; GRANT SELECT ON feedrank.* TO reader;",
	})
	return clickhouseOf(stack)
}

func clickhouseOf(stack *embedded.Stack) *clickhouseServer {
	a := stack.Addresses().ClickHouse
	c := &clickhouseServer{
		server: stack.ClickHouse, pid: stack.ClickHouse.PID(),
		addr: a.Addr, http: a.HTTP, database: a.Database, user: a.User, password: a.Password,
	}
	for _, user := range a.Users {
		c.reader = user.Password
	}
	return c
}

func (c *clickhouseServer) options() ch.Options {
	return ch.Options{Address: c.addr, User: c.user, Password: c.password, Database: c.database}
}

func (c *clickhouseServer) dial(t testing.TB, change ...func(*ch.Options)) *ch.Client {
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
		Body: body, Result: new(proto.Results).Auto(),
		OnResult: func(context.Context, proto.Block) error { return nil },
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

// numbers is a column of n numbers from first on.
func numbers(first, n int) *proto.ColUInt64 {
	c := make(proto.ColUInt64, n)
	for i := range c {
		c[i] = uint64(first + i)
	}
	return &c
}

func insertNumbers(c *ch.Client, table string, first, n int, settings ...ch.Setting) error {
	input := proto.Input{{Name: "a", Data: numbers(first, n)}}
	return c.Do(context.Background(), ch.Query{Body: input.Into(table), Input: input, Settings: settings})
}

func TestAClientThatVanishesInTheMiddleOfAnInsertLeavesNoRows(t *testing.T) {
	s := sharedClickHouse(t)
	watcher := s.dial(t)
	do(t, watcher, "CREATE TABLE IF NOT EXISTS vanished (a UInt64) ENGINE = MergeTree ORDER BY a")
	const rows = 100_000
	for _, at := range []int{1, 700, 4 * rows, 8*rows - 20} { // bytes
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		cut := &cutConn{Conn: conn, left: 1 << 30}
		c, err := ch.Connect(context.Background(), cut, s.options())
		require.NoError(t, err)
		cut.left = at
		require.Error(t, insertNumbers(c, "vanished", 0, rows, ch.Setting{Key: "log_comment", Value: "vanished"}))
		wait.Until(t, func() bool {
			return number(t, watcher,
				"SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'vanished'") == 0
		})
		require.Equal(t, uint64(0), number(t, watcher, "SELECT count() FROM vanished"), at)
	}
	same(t, s)
}

// cutConn is reset after so many bytes are written.
type cutConn struct {
	net.Conn
	left int
}

func (c *cutConn) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.Conn.Write(p)
	}
	_, _ = c.Conn.Write(p[:c.left])
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	return c.left, errors.Join(errors.New("the connection is cut"), c.Close())
}

func TestACancelledQueryEndsAndSoDoesOneWhoseClientIsReset(t *testing.T) {
	s := sharedClickHouse(t)
	watcher := s.dial(t)
	running := func() uint64 {
		return number(t, watcher, "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'endless'")
	}
	for _, reset := range []bool{false, true} {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		c, err := ch.Connect(context.Background(), conn, s.options())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			ended <- c.Do(ctx, ch.Query{
				Body:     "SELECT number FROM system.numbers",
				Settings: []ch.Setting{{Key: "log_comment", Value: "endless"}},
				Result:   proto.Results{{Name: "number", Data: new(proto.ColUInt64)}},
				OnResult: func(context.Context, proto.Block) error { return nil },
			})
		}()
		wait.Until(t, func() bool { return running() == 1 })
		if reset {
			require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
			require.NoError(t, conn.Close())
		} else {
			cancel()
		}
		require.Error(t, <-ended)
		cancel()
		wait.Until(t, func() bool { return running() == 0 })
	}
	same(t, s)
}

func TestExceptionsKeepTheirCodesAndTheConnectionGoesOn(t *testing.T) {
	server := sharedClickHouse(t)
	c := server.dial(t)
	do(t, c, "CREATE TABLE IF NOT EXISTS small (a UInt64, CONSTRAINT small CHECK a < 5000) ENGINE = MergeTree ORDER BY a")
	for body, code := range map[string]proto.Error{
		"SELECT nope": proto.ErrUnknownIdentifier, "SELEC 1": proto.ErrSyntaxError,
		"SELECT * FROM nowhere": proto.ErrUnknownTable,
		"SELECT throwIf(1)":     proto.ErrFunctionThrowIfValueIsNonZero,
		"SELECT {p:String}":     proto.ErrUnknownQueryParameter,
		"SELECT length(groupArray(toString(number))) FROM numbers(1000000000) SETTINGS max_memory_usage = 100000000": proto.ErrMemoryLimitExceeded,
	} {
		requireCode(t, code, c.Do(context.Background(), ch.Query{Body: body, Result: new(proto.Results).Auto()}))
	}
	requireCode(t, proto.ErrViolatedConstraint, insertNumbers(c, "small", 4000, 2000))
	reader := server.dial(t, func(o *ch.Options) { o.User, o.Password = "reader", server.reader })
	require.Equal(t, uint64(0), number(t, reader, "SELECT count() FROM small"))
	requireCode(t, proto.Error(497), insertNumbers(reader, "small", 0, 1))
	require.Equal(t, uint64(1), number(t, c, "SELECT toUInt64(1)"))
}

func TestAnInsertIsKilledByItsLogComment(t *testing.T) {
	s := sharedClickHouse(t)
	c, other := s.dial(t), s.dial(t)
	do(t, other, "CREATE TABLE IF NOT EXISTS killed (a UInt64) ENGINE = MergeTree ORDER BY a")
	release, ended := make(chan struct{}), make(chan error, 1)
	calls := 0
	go func() {
		ended <- c.Do(context.Background(), ch.Query{
			Body: "INSERT INTO killed VALUES", Settings: []ch.Setting{{Key: "log_comment", Value: "zombie"}},
			Input: proto.Input{{Name: "a", Data: numbers(0, 1000)}},
			OnInput: func(context.Context) error {
				if calls++; calls > 1 {
					return io.EOF
				}
				<-release // the writer is stopped in the middle of its insert
				return nil
			},
		})
	}()
	const where = "Settings['log_comment'] = 'zombie'"
	wait.Until(t, func() bool { return number(t, other, "SELECT count() FROM system.processes WHERE "+where) == 1 })
	do(t, other, "KILL QUERY WHERE "+where+" ASYNC")
	close(release)
	require.Error(t, <-ended)
	wait.Until(t, func() bool { return number(t, other, "SELECT count() FROM system.processes WHERE "+where) == 0 })
	require.Equal(t, uint64(0), number(t, other, "SELECT count() FROM killed"))
}

func TestAcknowledgedRowsSurviveAKill(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.ClickHouse)
	s := clickhouseOf(stack)
	const batch = 100
	var acknowledged atomic.Int64
	for range 2 {
		c := s.dial(t)
		do(t, c, "CREATE TABLE IF NOT EXISTS kept (a UInt64) ENGINE = MergeTree ORDER BY a")
		begin := acknowledged.Load()
		ended := make(chan error, 1)
		go func() {
			for {
				if err := insertNumbers(c, "kept", int(acknowledged.Load())*batch, batch); err != nil {
					ended <- err
					return
				}
				acknowledged.Add(1)
			}
		}()
		wait.Until(t, func() bool { return acknowledged.Load() > begin+20 })
		require.NoError(t, stack.ClickHouse.Kill())
		require.Error(t, <-ended)
		require.NoError(t, stack.ClickHouse.Start(limited(t)))
	}
	c := s.dial(t)
	last := uint64(acknowledged.Load()) * batch
	require.Equal(t, last, number(t, c, fmt.Sprintf("SELECT uniqExact(a) FROM kept WHERE a < %d", last)))
	require.Equal(t, uint64(0), number(t, c, "SELECT toUInt64(count() % 100) FROM kept"), "whole blocks or nothing")
}

func TestADirectoryThatALaterClickHouseWroteIsRefusedInALine(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.ClickHouse)
	version := filepath.Join(stack.Dir(), "clickhouse", "data", "version")
	require.NoError(t, stack.ClickHouse.Stop(limited(t)))
	require.NoError(t, os.WriteFile(version, []byte("99.1.1\n"), 0o600))
	require.ErrorContains(t, stack.ClickHouse.Start(limited(t)),
		"run `make servers` for a later one, or choose another directory")
	require.NoError(t, os.Remove(version))
	require.NoError(t, stack.ClickHouse.Start(limited(t)))
}

// What SQL wrote is read through ch-go, inserted through ch-go, and compared by the server, as text and by value.
func TestEveryColumnTypeIsReadAndInsertedWithoutChange(t *testing.T) {
	s := sharedClickHouse(t)
	for i, compression := range []ch.Compression{ch.CompressionDisabled, ch.CompressionLZ4, ch.CompressionZSTD} {
		c := s.dial(t, func(o *ch.Options) { o.Compression = compression })
		for name, values := range columnTypes() {
			src, dst := fmt.Sprintf("src%d", i), fmt.Sprintf("dst%d", i)
			for _, table := range []string{src, dst} {
				do(t, c, "CREATE OR REPLACE TABLE "+table+" (v "+name+") ENGINE = Memory")
			}
			do(t, c, "INSERT INTO "+src+" VALUES ("+strings.Join(values, "), (")+")")
			var read proto.Results
			require.NoError(t, c.Do(context.Background(), ch.Query{Body: "SELECT v FROM " + src, Result: read.Auto()}),
				name)
			require.Equal(t, len(values), read[0].Data.Rows(), name)
			input := proto.Input{{Name: "v", Data: read[0].Data.(proto.ColInput)}}
			require.NoError(t, c.Do(context.Background(), ch.Query{Body: input.Into(dst), Input: input}), name)
			require.Equal(t, uint64(0), number(t, c,
				fmt.Sprintf("SELECT toUInt64(a != b) FROM (SELECT groupArray((toString(v), cityHash64(v))) AS a FROM %s) AS x,"+
					" (SELECT groupArray((toString(v), cityHash64(v))) AS b FROM %s) AS y", src, dst)), name)
		}
	}
}

func columnTypes() map[string][]string {
	return map[string][]string{
		"Int8": {"-128", "127"}, "Int16": {"-32768", "0"}, "Int32": {"-2147483648", "7"},
		"Int64":  {"-9223372036854775808", "9223372036854775807"},
		"Int128": {"-170141183460469231731687303715884105728", "5"}, "UInt8": {"0", "255"}, "UInt16": {"0", "65535"},
		"UInt32": {"0", "4294967295"},
		"UInt64": {"0", "18446744073709551615"}, "UInt128": {"340282366920938463463374607431768211455"},
		"Float32": {"1.5", "inf", "nan"},
		"Float64": {"1e300", "-inf"}, "Bool": {"true", "false"},
		"String":         {"''", `'zero\0byte'`, "repeat('long ', 60000)", "'ünïcødé'"},
		"FixedString(8)": {"'12345678'", "'abc'"}, "UUID": {"'61f0c404-5cb3-11e7-907b-a6006ad3dba0'"},
		"Date":   {"'1970-01-01'", "'2149-06-06'"},
		"Date32": {"'1900-01-01'", "'2299-12-31'"}, "DateTime('UTC')": {
			"'1970-01-01 00:00:00'",
			"'2106-02-07 06:28:15'",
		},
		"DateTime64(3, 'UTC')":          {"'1970-01-01 00:00:00.001'", "'2100-01-01 12:34:56.789'"},
		"DateTime64(6, 'UTC')":          {"'2100-01-01 12:34:56.789012'"},
		"Enum8('view' = 1, 'like' = 2)": {"'view'", "'like'"}, "Enum16('b' = -5, 'a' = 1000)": {"'a'", "'b'"},
		"LowCardinality(String)": {"'ios'", "''", "'ios'"},
		"Nullable(String)":       {"NULL", "'x'"}, "Nullable(Int64)": {"NULL", "-7"}, "Array(UInt64)": {"[]", "[1, 2]"},
		"Array(LowCardinality(String))": {"['a', 'b', 'a']", "[]"},
		"Array(Nullable(String))":       {"[NULL, 'b']"}, "IPv4": {"'255.255.255.255'"},
		"IPv6": {"'2001:db8::ff00:42:8329'"},
	}
}
