//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"context"
	"encoding/binary"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// secondServer serves the shared engine under other options.
func secondServer(t *testing.T, change func(*Options)) (addr string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	o := Options{User: testUser, Password: testPassword, Database: testDatabase}
	change(&o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newServer(o.withDefaults(), ownSession(t).engine)
	ctx, stop := context.WithCancel(context.Background())
	result, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		result <- s.serve(ctx, ln)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return ln.Addr().String(), stop, result
}

func at(addr string) func(*ch.Options) { return func(o *ch.Options) { o.Address = addr } }

func TestOneConnectionTooManyIsTurnedAwayWithACode(t *testing.T) {
	addr, _, _ := secondServer(t, func(o *Options) { o.MaxConnections = 1 })
	first := dial(t, at(addr))
	o := options()
	o.Address = addr
	_, err := ch.Dial(context.Background(), o)
	requireCode(t, proto.ErrTooManySimultaneousQueries, err)
	require.NoError(t, first.Close())
	wait.Until(t, func() bool {
		c, err := ch.Dial(context.Background(), o)
		return err == nil && c.Close() == nil
	})
}

func TestQueriesWaitForTheirTurnAndKillsDoNot(t *testing.T) {
	addr, _, _ := secondServer(t, func(o *Options) { o.MaxQueries = 1 })
	const where = "Settings['log_comment'] = 'occupies'"
	busy, killer := dial(t, at(addr)), dial(t, at(addr))
	ended, waited := make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- busy.Do(context.Background(), ch.Query{
			Body: "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", Settings: []ch.Setting{{Key: "log_comment", Value: "occupies"}},
		})
	}()
	wait.Until(t, func() bool {
		return number(t, killer, "SELECT count() FROM system.processes WHERE "+where) == 1
	})
	next := dial(t, at(addr))
	go func() { waited <- next.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0"}) }()
	do(t, killer, "KILL QUERY WHERE "+where+" ASYNC")
	requireCode(t, proto.ErrQueryWasCancelled, <-ended)
	require.NoError(t, <-waited)
}

func TestAStopLetsRunningQueriesEnd(t *testing.T) {
	addr, stop, ended := secondServer(t, func(*Options) {})
	c, idle, watcher := dial(t, at(addr)), dial(t, at(addr)), dial(t)
	const where = "Settings['log_comment'] = 'drains'"
	answered := make(chan error, 1)
	go func() {
		answered <- c.Do(context.Background(), ch.Query{
			Body: "SELECT sleepEachRow(0.1) FROM numbers(5) WHERE NOT ignore(number)", Settings: []ch.Setting{{Key: "log_comment", Value: "drains"}},
			Result: new(proto.Results).Auto(), OnResult: func(context.Context, proto.Block) error { return nil },
		})
	}()
	wait.Until(t, func() bool {
		return number(t, watcher, "SELECT count() FROM system.processes WHERE "+where) == 1
	})
	stop()
	require.NoError(t, <-answered)
	require.NoError(t, <-ended)
	require.Error(t, idle.Ping(context.Background()))
	_, err := net.Dial("tcp", addr)
	require.Error(t, err)
}

func TestAStopCancelsQueriesThatOutlastIt(t *testing.T) {
	addr, stop, ended := secondServer(t, func(o *Options) { o.DrainTimeout = 100 * time.Millisecond })
	c, watcher := dial(t, at(addr)), dial(t)
	const where = "Settings['log_comment'] = 'outlasts'"
	answered := make(chan error, 1)
	go func() {
		answered <- c.Do(context.Background(), ch.Query{
			Body: "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", Settings: []ch.Setting{{Key: "log_comment", Value: "outlasts"}},
		})
	}()
	wait.Until(t, func() bool {
		return number(t, watcher, "SELECT count() FROM system.processes WHERE "+where) == 1
	})
	stop()
	require.Error(t, <-answered)
	require.NoError(t, <-ended)
	require.Equal(t, uint64(0), number(t, watcher, "SELECT count() FROM system.processes WHERE "+where))
}

func TestTheEnginesMemoryIsBounded(t *testing.T) {
	t.Setenv(childMemoryEnv, strconv.Itoa(700<<20))
	server := startChild(t, t.TempDir())
	c := server.dial(t)
	err := c.Do(context.Background(), ch.Query{Body: "SELECT length(groupArray(toString(number))) FROM numbers(1000000000)"})
	requireCode(t, proto.ErrMemoryLimitExceeded, err)
	require.Equal(t, uint64(1), number(t, c, "SELECT toUInt64(1)"), "the server goes on")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(server.cmd.Process.Pid) + "/status")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	peak, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	require.Less(t, peak, 1200<<10, "peak resident memory in KiB")
}

func rawQuery(body string, compressed byte) []byte {
	b := []byte{clientQuery, 0, 1, 0, 0, 0}
	b = append(b, make([]byte, 8)...)     // time
	b = append(b, 1, 0, 0, 0, 1, 1)       // TCP, names, version
	b = binary.AppendUvarint(b, revision) // of the client
	b = append(b, 0, 0, 0, 0, 0, 0, 0)    // quota key to parallel replicas
	b = append(b, 0, 0, 2, compressed)    // settings, secret, stage
	b = append(appendString(b, body), 0)  // parameters
	if compressed == 0 {
		b = append(b, clientData, 0, 0, 0, 0) // no tables
	}
	return b
}

func TestPacketsMayFollowEachOtherWithoutWaiting(t *testing.T) {
	nc, err := net.Dial("tcp", shared.addr)
	require.NoError(t, err)
	defer func() { _ = nc.Close() }()
	require.NoError(t, nc.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = nc.Write(slices.Concat(rawHello(revision), []byte{0}, rawQuery("SELECT 'first'", 0), []byte{clientPing}, rawQuery("SELECT 'second'", 0)))
	require.NoError(t, err)
	in := bufio.NewReader(nc)
	for _, want := range []string{"\x05first", "\x04", "\x06second"} {
		for got := ""; !strings.HasSuffix(got, want); {
			b, err := in.ReadByte()
			require.NoError(t, err, "waiting for %q after %q", want, got)
			got += string(b)
		}
	}
}

// FuzzConnection feeds bytes to a connection of the real engine, after a proper hello.
func FuzzConnection(f *testing.F) {
	block := append(appendBlockInfo([]byte{clientData, 0}), "\x01\x02\x01a\x06UInt64\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"...)
	end := []byte{clientData, 0, 0, 0, 0}
	f.Add([]byte{clientPing})
	f.Add(rawQuery("SELECT 1", 0))
	f.Add(rawQuery("SELECT 1", 1))
	f.Add(slices.Concat(rawQuery("INSERT INTO FUNCTION null('a UInt64') VALUES", 0), block, end))
	f.Add(slices.Concat(rawQuery("INSERT INTO FUNCTION null('a UInt64') VALUES", 0), block, []byte{clientCancel}))
	f.Add(slices.Concat(rawQuery("SELECT nope", 0), end, rawQuery("SELECT 2", 0)))
	library, err := FindLibrary()
	require.NoError(f, err)
	e, err := openEngine(library, shared.dir, 4<<30)
	require.NoError(f, err)
	f.Cleanup(e.close)
	s := newServer(Options{User: testUser, Password: testPassword, Database: testDatabase}.withDefaults(), e)
	f.Fuzz(func(t *testing.T, packets []byte) {
		client, side := net.Pipe()
		// What waits for more bytes than there are is let go soon.
		require.NoError(t, client.SetDeadline(time.Now().Add(100*time.Millisecond)))
		served, drained := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(served)
			s.handle(side)
		}()
		go func() {
			defer close(drained)
			var sink [4096]byte
			for {
				if _, err := client.Read(sink[:]); err != nil {
					return
				}
			}
		}()
		const unknown = 77 // what follows the packets makes the server hang up
		_, _ = client.Write(slices.Concat(rawHello(revision), []byte{0}, packets, []byte{unknown}))
		<-drained
		require.NoError(t, client.Close())
		select {
		case <-served:
		case <-time.After(20 * time.Second):
			t.Fatal("the connection does not end")
		}
	})
}
