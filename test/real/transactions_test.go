//go:build real

package real_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/txn"
)

// readToTheEnd waits until a group has committed what the log ends with, and tells what that is.
func (s *scene) readToTheEnd(group, topic string) (end int64) {
	s.t.Helper()
	var last, committed int64
	require.True(s.t, eventually(time.Minute, 100*time.Millisecond, func() bool {
		last = int64(s.total(topic))
		s.admin(func(admin sarama.ClusterAdmin) error {
			found, err := admin.ListConsumerGroupOffsets(s.configs.KafkaConfig.Topic(group),
				map[string][]int32{topic: {0}})
			if err == nil {
				committed = found.GetBlock(topic, 0).Offset
			}
			return err
		})
		return committed == last
	}), "%s: %d of %d are committed", topic, committed, last)
	return last
}

func (s *scene) user(op string, id, lsn int) txn.Record {
	after := fmt.Sprintf(`{"id":%d,"name":"user %d","created_at":"2026-01-01T00:00:00.000000Z","deleted_at":null}`, id,
		id)
	if op == "d" {
		after = "null"
	}
	now := time.Now().UnixMilli()
	return txn.Record{Topic: s.topic("public.users"), Key: fmt.Appendf(nil, `{"id":%d}`, id), Value: fmt.Appendf(nil,
		`{"before":null,"after":%s,"source":{"ts_ms":%d,"snapshot":"false","db":"app","sequence":"[\"%d\",\"%d\"]","schema":"public","table":"users","lsn":%d},"op":%q,"ts_ms":%d}`,
		after, now, lsn, lsn, lsn, op, now)}
}

// A connector that delivers exactly once writes in transactions. What it takes back is not there, and the markers at
// the end of each are nothing that anybody waits for.
func TestWhatAConnectorTookBackIsNeitherAppliedNorWaitedFor(t *testing.T) {
	s := newScene(t)
	s.exec("INSERT INTO users (id, name, created_at) SELECT n, 'user ' || n, '2026-01-01' FROM unnest(ARRAY[1, 2, 4]) n")
	db := copyTables(s)
	brokers, group, topic := s.configs.KafkaConfig.Brokers, cdc.DefaultConfig().Consumer.Group, s.topic("public.users")
	users := func() string {
		return count(t, db, "SELECT arrayStringConcat(arraySort(groupArray(toString(id))), ' ') FROM users FINAL")
	}

	txn.Send(t, brokers, true, s.user("c", 1, 1), s.user("c", 2, 2))
	require.EqualValues(t, 3, s.readToTheEnd(group, topic), "two records and a marker")
	txn.Send(t, brokers, false, s.user("d", 1, 3), s.user("c", 3, 4))
	require.EqualValues(t, 6, s.readToTheEnd(group, topic))
	require.Equal(t, "1 2", users(), "a delete and a create were taken back")
	txn.Send(t, brokers, true, s.user("c", 4, 5))
	txn.Send(t, brokers, false, s.user("d", 4, 6))
	require.EqualValues(t, 10, s.readToTheEnd(group, topic))
	require.Equal(t, "1 2 4", users())

	cfg := config.Default()
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.configs.ClickHouseConfig, s.configs.PostgresConfig,
		s.configs.KafkaConfig, s.configs.RedisConfig
	differences, err := app.Resync(t.Context(), cfg, "users", false, time.Second, t.Output())
	require.NoError(t, err, "it is not behind")
	require.Zero(t, differences)
}

func TestEventsThatWereTakenBackAreNeitherAppliedNorWaitedFor(t *testing.T) {
	s := newScene(t)
	cfg := events.DefaultConfig()
	cfg.Partitions = 1
	_, err := kafka.EnsureTopics(s.configs.KafkaConfig, events.TopicSpecs(cfg, s.configs.KafkaConfig), false)
	require.NoError(t, err)
	db := clickhouse.New(s.configs.ClickHouseConfig, prometheus.NewRegistry())
	defer db.Close()
	dead, reg := &eventDeadLetters{}, prometheus.NewRegistry()
	failure := worker.FailureFunc(func(name string, err error) { t.Errorf("%s failed: %v", name, err) })
	consumer := consumer.New(cfg.Consumer(), s.configs.KafkaConfig, db, dead, core.SystemClock{}, failure, reg,
		zaptest.NewLogger(t))
	require.NoError(t, consumer.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, consumer.Stop(ctx))
		require.Empty(t, dead.all)
	})
	topic, began := s.configs.KafkaConfig.Topic(cfg.Topic), time.Now()
	record := func(n int) txn.Record {
		message := codec.Record(topic, event(n, began))
		key, err := message.Key.Encode()
		require.NoError(t, err)
		value, err := message.Value.Encode()
		require.NoError(t, err)
		return txn.Record{Topic: topic, Key: key, Value: value}
	}
	var taken []txn.Record
	for n := range 500 { // as many as end up in one batch
		taken = append(taken, record(n))
	}
	txn.Send(t, s.configs.KafkaConfig.Brokers, false, taken...)
	txn.Send(t, s.configs.KafkaConfig.Brokers, true, record(1), record(2))
	txn.Send(t, s.configs.KafkaConfig.Brokers, false, record(3))
	require.True(t, eventually(time.Minute, 100*time.Millisecond, func() bool {
		return count(t, db, "SELECT max(last_offset) FROM event_ranges") == "502" && lag(t, reg) == 0
	}), "two records, and 504 offsets without one")
	require.Equal(t, 506, s.total(topic))
	require.Equal(t, "2", count(t, db, "SELECT count() FROM events"))
	require.Equal(t, "2", count(t, db, "SELECT uniqExact(event_id) FROM events WHERE kafka_offset IN (501, 502)"))
}

func lag(t *testing.T, reg *prometheus.Registry) (records float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "feedrank_events_lag_records" {
			for _, m := range family.GetMetric() {
				records += m.GetGauge().GetValue()
			}
			return records
		}
	}
	return -1
}
