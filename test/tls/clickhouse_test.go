package tls

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// front speaks TLS for a server that does not, as a load balancer would. It can be told to hold answers
// back.
type front struct {
	addr string
	mu   sync.Mutex
	hold chan struct{} // nil: answers pass
}

func newFront(t *testing.T, to string, cfg *tls.Config) *front {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	f := &front{addr: listener.Addr().String()}
	var open sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		open.Wait()
	})
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { f.pass(client, to) })
		}
	})
	return f
}

func (f *front) pass(client net.Conn, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		_ = client.Close()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 4096)
	for {
		n, err := server.Read(buffer)
		if hold := f.holding(); hold != nil {
			if n > 1 { // half an answer, then nothing
				_, _ = client.Write(buffer[:n/2])
			}
			<-hold
			break
		}
		if _, failed := client.Write(buffer[:n]); err != nil || failed != nil {
			break
		}
	}
	_ = client.Close()
	_ = server.Close()
	<-done
}

func (f *front) holding() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hold
}

// stall holds answers back until the returned function is called.
func (f *front) stall() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hold := make(chan struct{})
	f.hold = hold
	return func() { close(hold) }
}

func clickhouseConfig(t *testing.T) clickhouse.Config {
	t.Helper()
	cfg := stack.Configs(embeddedtest.Stack(t).Addresses()).ClickHouseConfig
	cfg.Database, cfg.DialTimeout = "default", 5*time.Second
	return cfg
}

func TestClickHouseOverTLS(t *testing.T) {
	trusted := newAuthority(t, "ours")
	for _, x := range trials(t, trusted) {
		t.Run(x.name, func(t *testing.T) {
			cfg := clickhouseConfig(t)
			cfg.Addrs, cfg.TLS = []string{newFront(t, cfg.Addrs[0], trusted.server(x.mutual)).addr}, x.client
			client := clickhouse.New(cfg, prometheus.NewRegistry())
			defer client.Close()
			x.judge(t, client.Ping(t.Context()))
			if !x.enters {
				return
			}
			var n proto.ColUInt64 // more than a packet
			rows := 0
			require.NoError(t, client.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
				Body: "SELECT number AS n FROM numbers(200000)", Result: proto.Results{{Name: "n", Data: &n}},
				OnResult: func(context.Context, proto.Block) error { rows += n.Rows(); return nil },
			}}))
			require.Equal(t, 200_000, rows)
		})
	}
}

// A deadline holds within a packet, under TLS as in the clear.
func TestAServerThatStopsWithinAnAnswerHoldsNobodyUpOverTLS(t *testing.T) {
	trusted := newAuthority(t, "ours")
	cfg := clickhouseConfig(t)
	f := newFront(t, cfg.Addrs[0], trusted.server(false))
	cfg.Addrs, cfg.TLS.Enabled, cfg.TLS.CAFile = []string{f.addr}, true, trusted.File
	client := clickhouse.New(cfg, prometheus.NewRegistry())
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()))
	release := f.stall()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.Error(t, client.Ping(ctx)) // that it returns is what is tested: the front holds its answer back for ever
	require.Error(t, ctx.Err())
}
