//go:build real

package real_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
)

// changeDeadLetters keeps dead letters, of which there must be none.
type changeDeadLetters struct {
	mu  sync.Mutex
	all []kafka.DeadLetter
}

func (g *changeDeadLetters) Publish(_ context.Context, letters []kafka.DeadLetter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, letters...)
	return nil
}

// Changed is the feed, which is not there.
func (*changeDeadLetters) Changed(context.Context, []core.Change) error { return nil }

// copyTables runs our consumer until the test ends, and checks that there are no dead letters.
func copyTables(s *scene) *clickhouse.Client {
	t := s.t
	t.Helper()
	cfg := cdc.DefaultConfig()
	cfg.Consumer.TopicCheck = time.Second
	specs, err := cdc.TopicSpecs(cfg, s.configs.KafkaConfig)
	require.NoError(t, err)
	_, err = kafka.EnsureTopics(s.configs.KafkaConfig, specs, false)
	require.NoError(t, err)
	db := clickhouse.New(s.configs.ClickHouseConfig, prometheus.NewRegistry())
	pool, err := postgres.NewPool(t.Context(), s.configs.PostgresConfig)
	require.NoError(t, err)
	dead := &changeDeadLetters{}
	consumer, err := cdc.NewConsumer(cfg, s.configs.KafkaConfig, consumer.Params{
		ClickHouse: db, Postgres: pool, DeadLetters: dead, Observer: dead,
		Clock: core.SystemClock{}, Log: zaptest.NewLogger(t), Registerer: prometheus.NewRegistry(),
		Failure: worker.FailureFunc(func(name string, err error) { t.Errorf("%s failed: %v", name, err) }),
	})
	require.NoError(t, err)
	require.NoError(t, consumer.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, consumer.Stop(ctx))
		pool.Close()
		db.Close()
		for _, letter := range dead.all {
			t.Errorf("dead letter %s/%d@%d: %s", letter.Topic, letter.Partition, letter.Offset, letter.Detail)
		}
	})
	return db
}

func mappedTables() []string {
	var all []string
	for _, table := range []string{"users", "posts", "follows", "comments", "likes", "blocks", "mutes"} {
		all = append(all, "public."+table)
	}
	return all
}

func TestTablesAreEqualAfterASnapshotThatTransactionsOverlapAndKillsOfEveryPart(t *testing.T) {
	// large values are stored apart, as they are
	s := newScene(t, "ALTER TABLE posts ALTER body SET STORAGE EXTERNAL", tables.World(50))
	ctx := t.Context()
	db := copyTables(s)

	// Transactions are open while the connector's slot is made: see snapshotScene.
	first, firstID := s.begin()
	change(t, first, 1)
	s.connect(servers.ConnectorConfig{Tables: mappedTables(), Partitions: 4})
	s.awaitWaiter(firstID)
	second, secondID := s.begin()
	change(t, second, 2)
	require.NoError(t, first.Commit(ctx))
	s.awaitWaiter(secondID)
	third, _ := s.begin()
	change(t, third, 3)
	require.NoError(t, second.Commit(ctx))
	require.NoError(t, s.connector.Await(ctx)) // the snapshot is over
	require.NoError(t, third.Commit(ctx))
	t.Logf("%d rows are equal after the snapshot", requireEqualTables(t, s.db, db))

	// Connect is killed in the middle of one transaction's rows.
	const bulk = 40_000
	s.exec(fmt.Sprintf("INSERT INTO posts (id, author_id, body) SELECT 10000 + i, 1 + i %% 50, 'bulk ' || i FROM generate_series(1, %d) i", bulk))
	topic := s.topic("public.posts")
	require.True(t, eventually(time.Minute, time.Millisecond, func() bool { return s.total(topic) > bulk/10 }))
	require.NoError(t, s.Connect.Kill())
	at := s.total(topic)
	require.Less(t, at, bulk, "the kill came too late to part the transaction")
	s.exec(
		"UPDATE posts SET body = body || ' again', status = 'draft' WHERE id % 7 = 0",
		"DELETE FROM posts WHERE id > 10000 AND id % 11 = 0",
		"TRUNCATE likes",
		"INSERT INTO likes (user_id, post_id) SELECT i, i FROM generate_series(1, 50) i WHERE EXISTS (SELECT FROM posts WHERE id = i)",
	)
	require.NoError(t, s.Connect.Start(ctx))
	require.NoError(t, s.connector.Await(ctx))
	t.Logf("Connect was killed after %d records of %d; %d rows are equal", at, bulk, requireEqualTables(t, s.db, db))

	// Then every other server while changes flow.
	for _, server := range []servers.Server{s.Kafka, s.ClickHouse, s.Postgres} {
		s.exec("INSERT INTO posts (id, author_id, body) SELECT (SELECT max(id) FROM posts) + i, 1 + i % 50, 'before a kill' FROM generate_series(1, 2000) i")
		require.NoError(t, server.Kill())
		require.NoError(t, server.Start(ctx))
		if server == s.Postgres {
			s.db = s.connection()
		}
		s.exec("UPDATE posts SET body = 'after a kill' WHERE id % 13 = 0",
			"DELETE FROM follows WHERE follower_id % 9 = 0")
		require.NoError(t, s.connector.Await(ctx))
		t.Logf("%s was killed; %d rows are equal", server.Name(), requireEqualTables(t, s.db, db))
	}
}

// change does something of everything in a transaction; n keeps transactions apart.
func change(t *testing.T, tx pgx.Tx, n int) {
	t.Helper()
	for _, statement := range []string{
		fmt.Sprintf("UPDATE users SET name = 'by %d' WHERE id = %d", n, n),
		fmt.Sprintf("UPDATE posts SET body = repeat('by %d', 1000) WHERE id %% 10 = %d", n, n),
		fmt.Sprintf("UPDATE posts SET id = id + 1000 WHERE id > 100 AND id %% 10 = %d AND NOT EXISTS (SELECT FROM likes WHERE post_id = id)", n),
		fmt.Sprintf("DELETE FROM posts WHERE id > 50 AND id %% 10 = %d", n+3),
		fmt.Sprintf("UPDATE follows SET followee_id = %d WHERE follower_id = %d AND followee_id = %d", 40+n, n*10,
			n*10+1),
		fmt.Sprintf("DELETE FROM follows WHERE follower_id = %d", n*10+5),
		fmt.Sprintf("INSERT INTO blocks (blocker_id, blocked_id) VALUES (%d, 40)", 20+n),
		fmt.Sprintf("UPDATE mutes SET created_at = now() WHERE muter_id = %d", 2+n*5),
	} {
		_, err := tx.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}
