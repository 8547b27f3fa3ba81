//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
)

func TestOnlyTheConfiguredUserIsLetIn(t *testing.T) {
	for name, change := range map[string]func(*ch.Options){
		"password":    func(o *ch.Options) { o.Password = "wrong" },
		"no password": func(o *ch.Options) { o.Password = "" },
		"user":        func(o *ch.Options) { o.User = "nobody" },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			_, err := ch.Dial(context.Background(), o)
			requireCode(t, proto.ErrAuthenticationFailed, err)
			require.NotContains(t, err.Error(), testPassword)
		})
	}
}

func TestAnUnknownDatabaseFailsTheQueryWithItsCode(t *testing.T) {
	c := dial(t, func(o *ch.Options) { o.Database = "nowhere" })
	require.NoError(t, c.Ping(context.Background()))
	requireCode(t, proto.ErrUnknownDatabase, c.Do(context.Background(), ch.Query{Body: "SELECT 1"}))
	do(t, dial(t), "CREATE DATABASE nowhere")
	require.Equal(t, "nowhere", text(t, c, "SELECT currentDatabase()"), "the connection goes on")
	do(t, dial(t), "DROP DATABASE nowhere")
}

func TestTheServerIntroducesItselfAsTheEngineThatItIs(t *testing.T) {
	c := dial(t)
	info := c.ServerInfo()
	require.Equal(t, "ClickHouse", info.Name)
	require.Equal(t, proto.Version, info.Revision)
	require.Equal(t, text(t, c, "SELECT timezone()"), info.Timezone)
	require.Equal(t, "UTC", info.Timezone, "wherever the machine is")
	require.True(t, strings.HasPrefix(text(t, c, "SELECT version()"), fmt.Sprintf("%d.%d.%d.", info.Major, info.Minor, info.Patch)))
}

// exchange sends raw bytes and returns what the server answers until it closes.
func exchange(t *testing.T, send []byte) []byte {
	t.Helper()
	nc, err := net.Dial("tcp", shared.addr)
	require.NoError(t, err)
	defer func() { _ = nc.Close() }()
	require.NoError(t, nc.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = nc.Write(send)
	require.NoError(t, err)
	got, _ := io.ReadAll(nc)
	return got
}

func rawHello(version uint64) []byte {
	b := appendString([]byte{clientHello}, "raw")
	b = binary.AppendUvarint(append(b, 1, 1), version)
	b = appendString(b, testDatabase)
	b = appendString(b, testUser)
	return appendString(b, testPassword)
}

func TestNonsenseIsAnsweredAndDisconnected(t *testing.T) {
	hello := append(rawHello(revision), 0)
	for name, send := range map[string][]byte{
		"http":              []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"an old client":     rawHello(54400),
		"a huge name":       {clientHello, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"an unknown packet": slices.Concat(hello, []byte{77}),
		"a huge query":      slices.Concat(hello, []byte{clientQuery, 0, 0, 0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}),
	} {
		t.Run(name, func(t *testing.T) {
			got := exchange(t, send)
			require.Contains(t, string(got), "DB::Exception")
			require.Contains(t, string(got), errMalformed.Error())
		})
	}
	require.Equal(t, uint64(1), number(t, dial(t), "SELECT toUInt64(1)"))
}
