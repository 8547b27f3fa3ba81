package cdc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/cdc/tail"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/wait"
)

func (c *chain) dropSlot() {
	c.t.Helper()
	wait.Until(c.t, func() bool {
		_, err := c.Postgres.Exec(c.t.Context(), `SELECT pg_drop_replication_slot($1)`, c.cfg.Source.Slot)
		return err == nil
	})
}

func TestALostSlotIsReadAnewWithWhatWasDeletedMeanwhile(t *testing.T) {
	c := newChain(t)
	c.cfg.Source.OnLostSlot = "resync"
	c.exec(world(50))
	c.start()
	c.requireEqual()
	c.stopSource()
	c.dropSlot()
	c.exec( // nobody will hear of these
		`DELETE FROM posts WHERE id % 2 = 0`, `DELETE FROM follows WHERE follower_id % 3 = 0`,
		`DELETE FROM users WHERE id = 8`,
		`UPDATE posts SET body = 'unheard', created_at = created_at - interval '1 minute' WHERE id % 5 = 0`,
		`INSERT INTO users (id, name) VALUES (777, 'unheard')`, `TRUNCATE mutes`,
		// counted elsewhere since
		`UPDATE comments SET created_at = now() - interval '7 hours', author_id = 9 WHERE id % 3 = 0`,
	)
	c.startSource()
	c.requireEqual()
	c.exec(`UPDATE users SET name = 'heard', created_at = created_at - interval '1 minute' WHERE id = 777`)
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestALostSlotEndsTheSourceWhereThatIsConfigured(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	c.start()
	c.requireEqual()
	c.stopSource()
	c.dropSlot()
	failed := make(chan error, 1)
	s, err := cdc.NewSource(c.cfg, c.KafkaConfig, source.Params{
		Postgres: c.PostgresConfig, Clock: core.SystemClock{}, Log: zaptest.NewLogger(t),
		Registerer: prometheus.NewRegistry(),
		Failure:    worker.FailureFunc(func(_ string, err error) { failed <- err }),
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	defer c.stop(s.Stop)
	select {
	case err := <-failed:
		require.ErrorIs(t, err, source.ErrLostSlot)
		require.ErrorContains(t, err, "cdc.source.on_lost_slot")
	case <-time.After(patience):
		t.Fatal("the source did not notice")
	}
}

func (c *chain) admin(do func(sarama.ClusterAdmin) error) {
	c.t.Helper()
	config, err := c.KafkaConfig.Sarama()
	require.NoError(c.t, err)
	admin, err := sarama.NewClusterAdmin(c.KafkaConfig.Brokers, config)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, admin.Close()) }()
	require.NoError(c.t, do(admin))
}

func TestATopicThatIsMadeAnewBeginsAboveWhatWasBefore(t *testing.T) {
	c := newChain(t)
	c.exec(world(50))
	c.start()
	// offsets rise
	c.exec(`UPDATE posts SET body = 'a', created_at = created_at - interval '1 minute'`,
		`UPDATE posts SET body = 'b', created_at = created_at - interval '1 minute'`,
		`UPDATE posts SET body = 'c', created_at = created_at - interval '1 minute'`)
	c.requireEqual()
	c.stopSource()
	posts := c.KafkaConfig.TopicPrefix + "cdc.public.posts"
	c.admin(func(a sarama.ClusterAdmin) error { return a.DeleteTopic(posts) })
	c.makeTopics()
	c.startSource()
	c.exec(`UPDATE posts SET body = 'low offset', created_at = created_at - interval '1 minute' WHERE id < 20`,
		`DELETE FROM posts WHERE id > 100`)
	c.requireEqual()
	c.exec(`UPDATE posts SET body = 'higher', created_at = created_at - interval '1 minute'`)
	c.requireEqual()
}

// epoch is the topic's life as the consumer's metric says.
func (c *chain) epoch(table string) float64 {
	c.t.Helper()
	families, err := c.reg.Gather()
	require.NoError(c.t, err)
	for _, f := range families {
		if f.GetName() != "feedrank_cdc_topic_epoch" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == table {
				return m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func TestATopicThatGrewGoesOn(t *testing.T) {
	c := newChain(t)
	c.exec(world(50))
	c.start()
	c.exec(`UPDATE posts SET body = 'a', created_at = created_at - interval '1 minute'`,
		`UPDATE posts SET body = 'b', created_at = created_at - interval '1 minute'`)
	c.requireEqual()
	posts := c.KafkaConfig.TopicPrefix + "cdc.public.posts"
	c.stopSource()
	c.admin(func(a sarama.ClusterAdmin) error { return a.CreatePartitions(posts, 9, nil, false) })
	// Only now may the topic be written to again: see "Epochs" in README.md.
	wait.Until(t, func() bool { return c.epoch("public.posts") == 2 })
	c.startSource()
	c.exec(`UPDATE posts SET body = 'moved', created_at = created_at - interval '1 minute' WHERE id < 40`,
		`DELETE FROM posts WHERE id > 100`)
	c.requireEqual()
}

func TestTheTailTellsOfPostsAtOnce(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	c.start()
	c.requireEqual()
	seen := &changes{}
	m, err := c.cfg.Mapping(c.KafkaConfig)
	require.NoError(t, err)
	posts := tail.Posts(m, c.KafkaConfig, time.Now(),
		func(changes []core.Change) { _ = seen.Changed(context.Background(), changes) }, zaptest.NewLogger(t))
	group := worker.NewGroup(c.failure())
	group.Go("tail", func(ctx context.Context) error {
		if err := posts.Run(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	defer c.stop(group.Stop)
	c.exec(`INSERT INTO posts (id, author_id, body) VALUES (900, 1, 'new')`, `DELETE FROM posts WHERE id = 5`,
		`TRUNCATE posts CASCADE`)
	for _, want := range []core.Change{
		{Kind: core.PostPut, Post: core.Post{ID: 900}},
		{Kind: core.PostDeleted, Post: core.Post{ID: 5}},
		{Kind: core.TableCleared},
	} {
		wait.Until(t, func() bool { return seen.has(want) }, "%+v", want)
	}
}

func TestTheTailOfEdgesTellsWhoFollowsBlocksAndMutesAtOnce(t *testing.T) {
	c := newChain(t)
	c.exec(world(10), `INSERT INTO mutes (muter_id, muted_id) VALUES (9, 8) ON CONFLICT DO NOTHING`)
	c.start()
	c.requireEqual()
	seen := &changes{}
	m, err := c.cfg.Mapping(c.KafkaConfig)
	require.NoError(t, err)
	edges := tail.Edges(m, c.KafkaConfig, time.Now().Add(-time.Hour),
		func(changes []core.Change) { _ = seen.Changed(context.Background(), changes) }, zaptest.NewLogger(t))
	group := worker.NewGroup(c.failure())
	group.Go("tail", func(ctx context.Context) error {
		if err := edges.Run(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	defer c.stop(group.Stop)
	c.exec(`DELETE FROM follows`, `DELETE FROM blocks`, `DELETE FROM mutes`,
		`INSERT INTO follows (follower_id, followee_id) VALUES (1, 2)`,
		`INSERT INTO blocks (blocker_id, blocked_id) VALUES (3, 4)`,
		`INSERT INTO mutes (muter_id, muted_id) VALUES (5, 6)`,
		`DELETE FROM blocks`)
	for _, want := range []core.Change{
		{Kind: core.Followed, Viewer: 1, Other: 2},
		{Kind: core.Blocked, Viewer: 3, Other: 4},
		{Kind: core.Muted, Viewer: 5, Other: 6},
		{Kind: core.Unblocked, Viewer: 3, Other: 4},
	} {
		wait.Until(t, func() bool { return seen.has(want) }, "%+v", want)
	}
	for _, got := range seen.all {
		require.True(t, got.Row != "" || got.Kind == core.TableReread, "%+v", got)
	}
}
