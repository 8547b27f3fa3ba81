package faults

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/feedrank/feedrank/test/stack"
)

// server is one that the program depends on.
type server string

const (
	clickhouse server = "clickhouse"
	postgres   server = "postgres"
	redis      server = "redis"
	kafka      server = "kafka"
)

// fault is a way in which a server fails. Toxics is in toxiproxy's words.
type fault struct {
	name   string
	toxics []string
}

var (
	dead    = fault{name: "dead"} // refuses connections, and those there were are closed
	hanging = fault{name: "hanging", toxics: []string{
		`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`, // accepts and says nothing
		`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
	}}
	late = fault{
		name:   "late",
		toxics: []string{`{"type":"latency","stream":"downstream","attributes":{"latency":3000,"jitter":500}}`},
	}
	trickling = fault{name: "trickling", toxics: []string{
		// a byte each 0.3 s
		`{"type":"slicer","stream":"downstream","attributes":{"average_size":1,"size_variation":0,"delay":300000}}`,
	}}
	resetting = fault{
		name:   "resetting",
		toxics: []string{`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`},
	}
)

// network is between the program and the servers.
type network struct {
	t       *testing.T
	proxies map[server]*toxiproxy.Proxy
}

// newNetwork puts a proxy before each server, and their addresses into the stack. Kafka is one of its
// own, because a broker tells clients where it is: this one tells them of its proxy.
func newNetwork(t *testing.T, s *stack.Stack) *network {
	t.Helper()
	n := &network{t: t, proxies: map[server]*toxiproxy.Proxy{}}
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxied := func(name server, upstream string) string {
		p := toxiproxy.NewProxy(control, string(name), "127.0.0.1:0", upstream)
		require.NoError(t, p.Start())
		t.Cleanup(p.Stop)
		n.proxies[name] = p
		return p.Listen
	}
	s.ClickHouseConfig.Addrs[0] = proxied(clickhouse, s.ClickHouseConfig.Addrs[0])
	s.RedisConfig.Addrs[0] = proxied(redis, s.RedisConfig.Addrs[0])
	address := s.Postgres.Config().ConnConfig
	upstream := net.JoinHostPort(address.Host, portOf(address.Port))
	s.PostgresConfig.DSN = strings.Replace(s.PostgresConfig.DSN, upstream, proxied(postgres, upstream), 1)

	var broker string
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			broker = proxied(kafka, l.Addr().String())
			return advertised{l, broker}, nil
		}))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	s.KafkaConfig.Brokers = []string{broker}
	return n
}

// advertised is a listener that says it is elsewhere.
type advertised struct {
	net.Listener
	addr string
}

func (a advertised) Addr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", a.addr) // the proxy's own
	return addr
}

// fail has a server fail.
func (n *network) fail(s server, f fault) {
	n.t.Helper()
	if len(f.toxics) == 0 {
		n.proxies[s].Stop()
		return
	}
	for _, toxic := range f.toxics {
		_, err := n.proxies[s].Toxics.AddToxicJson(strings.NewReader(toxic))
		require.NoError(n.t, err)
	}
}

// heal ends all faults.
func (n *network) heal() {
	n.t.Helper()
	for _, p := range n.proxies {
		p.Toxics.ResetToxics(context.Background())
		if !p.Enabled {
			require.NoError(n.t, p.Start())
		}
	}
}
