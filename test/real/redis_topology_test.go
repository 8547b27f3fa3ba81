//go:build real

package real_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// ownRedis starts a Redis that is this test's alone.
func ownRedis(t *testing.T, arguments ...string) servers.Server {
	t.Helper()
	server, err := servers.NewRedis(t.Context(), t.TempDir(), arguments...)
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Kill()) })
	return server
}

// command tells one server something, as an operator would.
func command(t *testing.T, server servers.Server, words ...string) string {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr()}, ForceSingleClient: true,
		DisableCache: true,
	})
	require.NoError(t, err)
	defer client.Close()
	answer, err := client.Do(t.Context(), client.B().Arbitrary(words...).Build()).ToAny()
	require.NoError(t, err, words)
	return fmt.Sprint(answer)
}

// marksOf writes and reads what many viewers hid: keys of every slot.
func marksOf(t *testing.T, cfg redis.Config, viewers int) {
	t.Helper()
	client := redis.New(cfg, core.SystemClock{})
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()))
	s := store.New(store.DefaultConfig(), client)
	var hidden []store.Mark
	for viewer := range viewers {
		hidden = append(hidden, store.Mark{User: core.ID(viewer + 1), Post: 7, At: time.Now()})
	}
	require.NoError(t, s.MarkHidden(t.Context(), hidden))
	for viewer := range viewers {
		state, err := s.Load(t.Context(), core.ID(viewer+1))
		require.NoError(t, err)
		require.NotEmpty(t, state.Hidden)
	}
}

func TestAClusterIsFoundByOneAddress(t *testing.T) {
	var nodes []servers.Server
	for range 2 {
		nodes = append(nodes, ownRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"))
	}
	host, port, err := net.SplitHostPort(nodes[1].Addr())
	require.NoError(t, err)
	command(t, nodes[0], "CLUSTER", "ADDSLOTSRANGE", "0", "8191")
	command(t, nodes[1], "CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
	bus := command(t, nodes[1], "CONFIG", "GET", "cluster-port")
	bus = strings.TrimSuffix(strings.TrimPrefix(bus, "map[cluster-port:"), "]")
	command(t, nodes[0], "CLUSTER", "MEET", host, port, bus)
	for _, node := range nodes {
		wait.Until(t, func() bool {
			return contains(command(t, node, "CLUSTER", "INFO"), "cluster_state:ok", "cluster_known_nodes:2")
		})
	}

	for _, node := range nodes {
		cfg := redis.DefaultConfig()
		cfg.Addrs = []string{node.Addr()}
		marksOf(t, cfg, 200)
		cfg.Mode = redis.Cluster
		marksOf(t, cfg, 200)
	}

	// Without the right to ask INFO, the first MOVED tells.
	for _, node := range nodes {
		command(t, node, "ACL", "SETUSER", "shy", "on", ">secret", "~*", "&*", "+@all", "-info")
	}
	cfg := redis.DefaultConfig()
	cfg.Addrs, cfg.User, cfg.Password = []string{nodes[0].Addr()}, "shy", "secret"
	client := redis.New(cfg, core.SystemClock{})
	defer client.Close()
	wait.Until(t, func() bool { return client.Ping(t.Context()) == nil })
	marksOf(t, redis.Config{
		Addrs: cfg.Addrs, User: cfg.User, Password: cfg.Password, Mode: redis.Cluster,
		DialTimeout: cfg.DialTimeout, WriteTimeout: cfg.WriteTimeout, DisableCache: true,
	}, 200)

	cfg = redis.DefaultConfig()
	cfg.Addrs, cfg.DB = []string{nodes[0].Addr()}, 3
	other := redis.New(cfg, core.SystemClock{})
	defer other.Close()
	require.ErrorContains(t, other.Ping(t.Context()), "set redis.db to 0")
}

func TestTheMasterThatSentinelsWatchIsFollowed(t *testing.T) {
	master := ownRedis(t, "--appendonly", "no")
	host, port, err := net.SplitHostPort(master.Addr())
	require.NoError(t, err)
	replica := ownRedis(t, "--replicaof", host+" "+port)
	wait.Until(t, func() bool { return contains(command(t, replica, "INFO", "replication"), "master_link_status:up") })
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(file, []byte("sentinel monitor feeds "+host+" "+port+" 1\n"+
		"sentinel down-after-milliseconds feeds 300\nsentinel failover-timeout feeds 2000\n"), 0o600))
	sentinel := ownRedis(t, file, "--sentinel")
	wait.Until(t, func() bool { return contains(command(t, sentinel, "INFO", "sentinel"), "slaves=1") })

	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{sentinel.Addr()}
	lost := redis.New(cfg, core.SystemClock{})
	defer lost.Close()
	require.ErrorContains(t, lost.Ping(t.Context()), "redis.sentinel_master")

	cfg.SentinelMaster = "feeds"
	client := redis.New(cfg, core.SystemClock{})
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()))
	require.NoError(t, master.Kill())
	wait.Until(t, func() bool { return client.Ping(t.Context()) == nil },
		"writes go to the replica that became the master")
	require.Contains(t, command(t, replica, "ROLE"), "master")
	marksOf(t, cfg, 20)
}

func TestAFullOrDemotedRedisIsAwayAndIsFoundAgain(t *testing.T) {
	other, server := ownRedis(t, "--appendonly", "no"), ownRedis(t, "--appendonly", "no")
	host, port, err := net.SplitHostPort(other.Addr())
	require.NoError(t, err)
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{server.Addr()}
	client := redis.New(cfg, core.SystemClock{})
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		_ = client.Watch(ctx, func(error) {})
	}()
	defer func() { cancel(); <-watched }()
	require.NoError(t, client.Ping(t.Context()))

	for _, fault := range []struct {
		name       string
		begin, end [][]string
	}{
		{"full", [][]string{
			{"CONFIG", "SET", "maxmemory-policy", "noeviction"},
			{"CONFIG", "SET", "maxmemory", "100000"},
		}, [][]string{{"CONFIG", "SET", "maxmemory", "0"}}},
		{"demoted", [][]string{{"REPLICAOF", host, port}}, [][]string{{"REPLICAOF", "NO", "ONE"}}},
		{
			"without enough replicas",
			[][]string{{"CONFIG", "SET", "min-replicas-to-write", "1"}},
			[][]string{{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		},
	} {
		for _, words := range fault.begin {
			command(t, server, words...)
		}
		wait.Until(t, func() bool { _, err := client.Conn(); return client.Away() && err != nil }, fault.name)
		require.ErrorIs(t, client.Ping(t.Context()), redis.ErrReadOnly, fault.name)
		for _, words := range fault.end {
			command(t, server, words...)
		}
		wait.Until(t, func() bool { _, err := client.Conn(); return !client.Away() && err == nil }, fault.name)
	}
}
