package embedded_test

import (
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/wait"
)

func TestTwoNodesAnswerADistributedQuery(t *testing.T) {
	stack := embeddedtest.OwnWith(t, embedded.Options{Only: []string{embedded.ClickHouse}, ClickHouseNodes: 2})
	a := stack.Addresses().ClickHouse
	require.Len(t, a.Nodes, 2)
	require.Equal(t, a.Addr, a.Nodes[0].Addr)
	require.Equal(t, []int{1, 2}, []int{a.Nodes[0].Shard, a.Nodes[1].Shard})
	on := func(node int) *ch.Client {
		client, err := ch.Dial(limited(t), ch.Options{
			Address: a.Nodes[node].Addr, User: a.User, Password: a.Password,
			Database: a.Database,
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	for node := range a.Nodes {
		client := on(node)
		for _, body := range []string{
			"CREATE TABLE sharded (n UInt64, who LowCardinality(String)) ENGINE = MergeTree ORDER BY n",
			"INSERT INTO sharded SELECT number, 'node " + strconv.Itoa(node) + "' FROM numbers(" +
				strconv.Itoa(1000*(node+1)) + ")",
			"CREATE TABLE everywhere AS sharded ENGINE = Distributed(feedrank, feedrank, sharded)",
		} {
			require.NoError(t, client.Do(limited(t), ch.Query{Body: body}), body)
		}
	}
	sum := func(client *ch.Client) string {
		var text proto.ColStr
		require.NoError(t, client.Do(limited(t), ch.Query{
			Body: "SELECT concat(toString(count()), ' ', toString(uniqExact(who)), ' ', toString(uniqExact(n))) FROM everywhere", Result: proto.Results{{Data: &text}},
		}))
		return text.Row(0)
	}
	for node := range a.Nodes {
		require.Equal(t, "3000 2 2000", sum(on(node)))
	}
	require.NoError(t, stack.Nodes[1].Kill())
	client := on(0)
	require.Error(t, client.Do(limited(t), ch.Query{
		Body:   "SELECT count() FROM everywhere",
		Result: proto.Results{{Data: new(proto.ColUInt64)}},
	}))
	require.NoError(t, stack.Nodes[1].Start(limited(t)))
	require.Equal(t, "3000 2 2000", sum(on(0)), "and it is back on its address")
}

// A handshake that fails ends ClickHouse's process; the gate keeps those away, and here is no gate.
func TestClickHouseIsBackOnItsAddressWhenItsProcessEndsUnasked(t *testing.T) {
	stack := embeddedtest.Own(t, embedded.ClickHouse)
	words := storeIn(stack, embedded.ClickHouse)
	words.add(t, "a")
	addr, first := stack.ClickHouse.Addr(), stack.ClickHouse.PID()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	began := time.Now()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.2", port))
	require.NoError(t, err)
	_, err = conn.Write([]byte("garbage"))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, conn)
	require.NoError(t, conn.Close())
	wait.Until(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		return err == nil && conn.Close() == nil && stack.ClickHouse.PID() != first
	})
	t.Logf("back after %s", time.Since(began))
	require.Equal(t, []string{"a"}, words.read(t))
	require.Equal(t, addr, stack.ClickHouse.Addr())

	require.NoError(t, syscallKill(stack.ClickHouse.PID()))
	require.NoError(t, stack.ClickHouse.Kill(), "whoever asks for its end while it is started again gets it")
	require.Zero(t, stack.ClickHouse.PID())
	require.NoError(t, stack.ClickHouse.Start(limited(t)))
	require.Equal(t, []string{"a"}, words.read(t))
}

func TestNumbersOfNodesThatMakeNoClusterAreRefused(t *testing.T) {
	for want, opts := range map[string]embedded.Options{
		"want 1 to 16": {ClickHouseNodes: 17}, "divides the 3 ClickHouse nodes": {
			ClickHouseNodes:    3,
			ClickHouseReplicas: 2,
		},
	} {
		_, err := embedded.Start(limited(t), opts)
		require.ErrorContains(t, err, want)
	}
}
