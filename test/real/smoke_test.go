//go:build real

package real_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// patience is for what takes no time but when the machine is busy.
const patience = 30 * time.Second

func TestEveryServerComesBackWithItsDataAfterAKill(t *testing.T) {
	s, c := fresh(t)
	ctx := t.Context()
	topic := c.KafkaConfig.Topic("kept")
	_, err := kafka.EnsureTopics(c.KafkaConfig, []kafka.TopicSpec{{Name: topic, Partitions: 1}}, false)
	require.NoError(t, err)
	producer := kafka.NewProducer(c.KafkaConfig)
	require.NoError(t, producer.Send(ctx, &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("1")}))
	require.NoError(t, producer.Close())
	cache := redis.New(c.RedisConfig, core.SystemClock{})
	defer cache.Close()
	conn, err := cache.Conn()
	require.NoError(t, err)
	require.NoError(t, conn.Do(ctx, conn.B().Set().Key(topic).Value("kept").Build()).Error())
	require.NoError(t, execute(ctx, c, "INSERT INTO users (id, name) VALUES (1, 'kept')"))
	engine := clickhouse.New(c.ClickHouseConfig, prometheus.NewRegistry())
	defer engine.Close()
	require.NoError(t, engine.Write(ctx, clickhouse.Query{
		Name:  "test",
		Query: ch.Query{Body: "INSERT INTO users (id) SELECT 1"},
	}))

	for _, server := range s.Servers() {
		addr, pid := server.Addr(), server.PID()
		require.NoError(t, server.Kill())
		require.Zero(t, server.PID())
		began := time.Now()
		require.NoError(t, server.Start(ctx))
		t.Logf("%s is back after %s", server.Name(), time.Since(began).Round(time.Millisecond))
		require.Equal(t, addr, server.Addr())
		require.NotEqual(t, pid, server.PID())
	}

	kept, err := s.Records(ctx, []string{topic}, func([]servers.Record) bool { return true })
	require.NoError(t, err)
	require.Equal(t, "1", string(kept[0].Value))
	wait.Until(t, func() bool {
		value, err := conn.Do(ctx, conn.B().Get().Key(topic).Build()).ToString()
		return err == nil && value == "kept"
	})
	var name string
	db, err := pgx.Connect(ctx, c.PostgresConfig.DSN)
	require.NoError(t, err)
	require.NoError(t, db.QueryRow(ctx, "SELECT name FROM users").Scan(&name))
	require.NoError(t, db.Close(ctx))
	require.Equal(t, "kept", name)
	var found proto.ColStr
	require.NoError(t, engine.Read(ctx, clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT toString(id) AS line FROM users", Result: proto.Results{{Name: "line", Data: &found}},
	}}))
	require.Equal(t, "1", found.Row(0))
}

func TestAFrozenServerAnswersWhenItIsThawed(t *testing.T) {
	s, c := fresh(t)
	cache := redis.New(c.RedisConfig, core.SystemClock{})
	defer cache.Close()
	require.NoError(t, cache.Ping(t.Context()))
	for _, server := range []servers.Server{s.Redis, s.Postgres} {
		require.NoError(t, server.Freeze())
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if server == s.Redis {
			require.Error(t, cache.Ping(ctx))
		} else {
			require.Error(t, execute(ctx, c, "SELECT 1"))
		}
		cancel()
		require.NoError(t, server.Thaw())
	}
	wait.Until(t, func() bool { return cache.Ping(t.Context()) == nil })
	require.NoError(t, execute(t.Context(), c, "SELECT 1"))
}

func TestNoServerOutlivesTheProgramThatStartedIt(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "feedrank-real-orphan-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), orphanEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var pids map[string]int
	require.NoError(t, json.Unmarshal(line, &pids))
	require.Len(t, pids, 5)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	for name, pid := range pids {
		wait.Until(t, func() bool { return gone(pid) }, name)
	}
}

// gone tells whether no process, or a zombie that its new parent has yet to reap, has the id.
func gone(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || len(state) == 0 || state[0] == 'Z'
}

func execute(ctx context.Context, c servers.Configs, statements ...string) error {
	conn, err := pgx.Connect(ctx, c.PostgresConfig.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the statements' errors are what matters
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
