//go:build real

package real_test

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
)

// admin does something to Kafka's topics.
func (s *scene) admin(do func(sarama.ClusterAdmin) error) {
	s.t.Helper()
	config, err := s.configs.KafkaConfig.Sarama()
	require.NoError(s.t, err)
	admin, err := sarama.NewClusterAdmin(s.configs.KafkaConfig.Brokers, config)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, admin.Close()) }()
	require.NoError(s.t, do(admin))
}

// awaitEpoch waits until the consumer has noticed that a topic began another life.
func (s *scene) awaitEpoch(db *clickhouse.Client, topic, epoch string) {
	s.t.Helper()
	require.True(s.t, eventually(2*time.Minute, 100*time.Millisecond, func() bool {
		lines, err := tables.Copies(s.t.Context(), db,
			"SELECT toString(max(epoch)) AS line FROM cdc_epochs WHERE topic = '"+topic+"'")
		return err == nil && len(lines) == 1 && lines[0] == epoch
	}), "epoch %s of %s", epoch, topic)
}

func TestTablesAreEqualWithSchemasAroundRecordsWholeOldRowsATruncateAGrownTopicAndANewOne(t *testing.T) {
	s := newScene(t, "ALTER TABLE posts ALTER body SET STORAGE EXTERNAL", "ALTER TABLE posts REPLICA IDENTITY FULL",
		"ALTER TABLE follows REPLICA IDENTITY FULL", tables.World(50))
	ctx := t.Context()
	db := copyTables(s)
	s.connect(servers.ConnectorConfig{Tables: mappedTables(), Partitions: 4, Schemas: true})
	require.NoError(t, s.connector.Await(ctx))
	for n := range 3 {
		tx, _ := s.begin()
		change(t, tx, n+1)
		require.NoError(t, tx.Commit(ctx))
	}
	t.Logf("%d rows are equal with schemas and REPLICA IDENTITY FULL", requireEqualTables(t, s.db, db))

	s.exec( // the truncate overtakes rows that wait in other partitions
		"INSERT INTO likes (user_id, post_id) SELECT u.id, p.id FROM users u, posts p ON CONFLICT DO NOTHING",
		"TRUNCATE likes",
		"INSERT INTO likes (user_id, post_id) SELECT u.id, p.id FROM users u, posts p WHERE (u.id + p.id) % 5 = 0",
		"UPDATE posts SET body = repeat('changed', 1000) WHERE id % 3 = 0",
		"UPDATE posts SET status = 'draft' WHERE id % 9 = 0",
	)
	t.Logf("%d rows are equal after a truncate", requireEqualTables(t, s.db, db))

	posts := s.topic("public.posts")
	require.NoError(t, s.connector.Stop(ctx))
	s.admin(func(a sarama.ClusterAdmin) error { return a.CreatePartitions(posts, 7, nil, false) })
	s.awaitEpoch(db, posts, "2")
	require.NoError(t, s.connector.Resume(ctx))
	s.exec("UPDATE posts SET body = 'moved' WHERE id % 2 = 0", "DELETE FROM posts WHERE id % 11 = 0",
		"UPDATE posts SET status = 'draft' WHERE id % 3 = 0")
	t.Logf("%d rows are equal after the topic grew", requireEqualTables(t, s.db, db))

	require.NoError(t, s.connector.Stop(ctx))
	s.admin(func(a sarama.ClusterAdmin) error { return a.DeleteTopic(posts) })
	require.True(t, eventually(time.Minute, 250*time.Millisecond, func() bool { // it goes in the background
		specs, err := cdc.TopicSpecs(cdc.DefaultConfig(), s.configs.KafkaConfig)
		require.NoError(t, err)
		_, err = kafka.EnsureTopics(s.configs.KafkaConfig, specs, false)
		return err == nil
	}))
	s.awaitEpoch(db, posts, "3")
	require.NoError(t, s.connector.Resume(ctx))
	s.exec("UPDATE posts SET body = 'low offsets' WHERE id % 2 = 1", "DELETE FROM posts WHERE id % 13 = 0")
	t.Logf("%d rows are equal in a new topic", requireEqualTables(t, s.db, db))
}
