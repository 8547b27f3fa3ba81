package embedded_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
)

// same tells that the child lives on: it is still the same process.
func same(t *testing.T, c *clickhouseServer) {
	t.Helper()
	require.Equal(t, uint64(7), number(t, c.dial(t), "SELECT toUInt64(7)"))
	require.Equal(t, c.pid, c.server.PID())
}

func rawHello(database, user, password string) []byte {
	var b proto.Buffer
	proto.ClientHello{
		Name: "raw", Major: 1, Minor: 1, ProtocolVersion: proto.Version, Database: database, User: user,
		Password: password,
	}.Encode(&b)
	return b.Buf
}

// exchange sends raw bytes and returns what comes until the end.
func exchange(t *testing.T, addr string, send []byte) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = conn.Write(send)
	require.NoError(t, err)
	_ = conn.(*net.TCPConn).CloseWrite() // it may have been answered, and be over
	got, _ := io.ReadAll(conn)
	return string(got)
}

func TestAHandshakeThatFailsIsAnsweredAndTheServerLivesOn(t *testing.T) {
	c := sharedClickHouse(t)
	good := rawHello(c.database, c.user, c.password)
	for name, sent := range map[string]struct {
		bytes  []byte
		answer string
	}{
		"nothing":             {nil, ""},
		"garbage":             {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), ""},
		"http":                {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "native protocol"},
		"half a hello":        {good[:len(good)/2], ""},
		"a huge name":         {[]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "Too large string size"},
		"an unknown user":     {rawHello(c.database, "nobody", c.password), "Authentication failed"},
		"default":             {rawHello("default", "default", ""), "Authentication failed"},
		"a wrong password":    {rawHello(c.database, c.user, "wrong"), "Authentication failed"},
		"an unknown database": {rawHello("nowhere", c.user, c.password), "Database nowhere does not exist"},
		"an unknown cluster": {
			append(rawHello("", " INTERSERVER SECRET ", ""), "\x05other\x04salt"...),
			"Authentication failed",
		},
		"a cluster, and no more": {append(rawHello("", " INTERSERVER SECRET ", ""), "\x05oth"...), ""},
		"hello and no more":      {good, "ClickHouse"},
		"half an addendum":       {append(good, "\x05ab"...), "ClickHouse"},
		"an unknown packet":      {append(good, "\x00\x00\x00\x4d"...), "ClickHouse"},
	} {
		t.Run(name, func(t *testing.T) {
			got := exchange(t, c.addr, sent.bytes)
			require.Contains(t, got, sent.answer)
			if sent.answer == "" {
				require.Empty(t, got)
			}
			same(t, c)
		})
	}
	for range 50 { // resets, at each point of the handshake
		for cut := 0; cut <= len(good); cut += 7 {
			conn, err := net.Dial("tcp", c.addr)
			require.NoError(t, err)
			_, err = conn.Write(good[:cut])
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
			require.NoError(t, conn.Close())
		}
	}
	same(t, c)
}

func TestWrongLoginsGetTheCodesOfTheServer(t *testing.T) {
	c := sharedClickHouse(t)
	for _, change := range []func(*ch.Options){
		func(o *ch.Options) { o.Password = "wrong" }, func(o *ch.Options) { o.User = "nobody" },
		func(o *ch.Options) { o.User, o.Password = "default", "" },
	} {
		o := c.options()
		change(&o)
		_, err := ch.Dial(context.Background(), o)
		requireCode(t, proto.ErrAuthenticationFailed, err)
		require.NotContains(t, err.Error(), c.password)
	}
	o := c.options()
	o.Database = "no`where %"
	_, err := ch.Dial(context.Background(), o)
	requireCode(t, proto.ErrUnknownDatabase, err)
	do(t, c.dial(t), "CREATE DATABASE `no``where %`")
	require.Equal(t, uint64(1), number(t, c.dial(t, func(o *ch.Options) { o.Database = "no`where %" }),
		"SELECT toUInt64(1)"))
}

// Its own session is logged in as default, and it is the only one who is.
func TestDefaultIsShutOutBesideTheGateToo(t *testing.T) {
	c := sharedClickHouse(t)
	const beside = "127.0.0.2"
	_, port, err := net.SplitHostPort(c.http)
	require.NoError(t, err)
	for _, host := range []string{c.http, net.JoinHostPort(beside, port)} {
		got := ask(t, host, "", "", "SELECT 1")
		require.Contains(t, got, "USER_SESSION_LIMIT_EXCEEDED")
		got = ask(t, host, "", "", "SELECT 1 SETTINGS max_sessions_for_user = 0")
		require.Contains(t, got, "USER_SESSION_LIMIT_EXCEEDED")
		require.Equal(t, "1\n", ask(t, host, c.user, c.password, "SELECT 1"))
	}
}

func ask(t *testing.T, addr, user, password, query string) string {
	t.Helper()
	login := url.Values{"query": {query}}
	if user != "" {
		login.Set("user", user)
		login.Set("password", password)
	}
	answer, err := http.Post("http://"+addr+"/?"+login.Encode(), "text/plain", http.NoBody)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

func TestHTTPAnswersAndGarbageThereEndsNothing(t *testing.T) {
	c := sharedClickHouse(t)
	require.Equal(t, "admin\n", ask(t, c.http, c.user, c.password, "SELECT user()"))
	require.Contains(t, ask(t, c.http, c.user, "wrong", "SELECT 1"), "AUTHENTICATION_FAILED")
	require.Contains(t, ask(t, c.http, "reader", c.reader, "CREATE TABLE feedrank.x (a UInt8) ENGINE = Memory"),
		"ACCESS_DENIED")
	for _, sent := range []string{
		"", "\x00\xff garbage\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nSEL",
		"GET /" + strings.Repeat("x", 1<<20),
	} {
		exchange(t, c.http, []byte(sent))
		same(t, c)
	}
}

func TestAThousandConnectionsAtOnce(t *testing.T) {
	c := sharedClickHouse(t)
	const clients = 1000
	var all sync.WaitGroup
	arrived, release := make(chan error, clients), make(chan struct{})
	for range clients {
		all.Go(func() {
			o := c.options()
			o.DialTimeout, o.HandshakeTimeout, o.ReadTimeout = time.Minute, time.Minute, time.Minute
			client, err := ch.Dial(context.Background(), o)
			if err == nil {
				err = client.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0"})
			}
			arrived <- err
			<-release
			if err == nil {
				_ = client.Close()
			}
		})
	}
	for range clients {
		require.NoError(t, <-arrived)
	}
	var over []*ch.Client // what is beyond the limit is turned away
	var refused error
	for range 50 {
		client, err := ch.Dial(context.Background(), c.options())
		if err != nil {
			refused = err
			break
		}
		over = append(over, client)
	}
	requireCode(t, proto.ErrTooManySimultaneousQueries, refused)
	for _, client := range over {
		_ = client.Close()
	}
	close(release)
	all.Wait()
	require.Eventually(t, func() bool {
		client, err := ch.Dial(context.Background(), c.options())
		return err == nil && client.Close() == nil
	}, 20*time.Second, 20*time.Millisecond)
	same(t, c)
}
