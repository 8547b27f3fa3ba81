package cdc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

func TestAChangedPrimaryKeyMovesTheRow(t *testing.T) {
	c := newChain(t)
	c.exec(world(40))
	c.start()
	c.requireEqual()
	large := "md5(random()::text) || " + strings.Repeat("md5(random()::text) || ", 200) + "''"
	c.exec(
		`UPDATE posts SET body = `+large+` WHERE id = 100`,
		`DELETE FROM likes; DELETE FROM comments`,
		`UPDATE posts SET id = 90100 WHERE id = 100`, // the body is not in the log
		`UPDATE posts SET id = id + 10000 WHERE id BETWEEN 1 AND 30`,
		`UPDATE follows SET followee_id = 40 WHERE follower_id = 1 AND followee_id = 2`,
		`UPDATE blocks SET blocked_id = 39 WHERE blocker_id = 1`,
	)
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestALargeValueThatWasNotLoggedIsKept(t *testing.T) {
	c := newChain(t)
	c.exec(`INSERT INTO users (id, name) VALUES (1, 'one')`)
	c.start()
	large := "SELECT string_agg(md5(i::text || random()::text), '') FROM generate_series(1, 600) i"
	c.exec(
		`INSERT INTO posts (id, author_id, body) SELECT p, 1, (`+large+`) FROM generate_series(1, 50) p`,
		`UPDATE posts SET status = 'draft' WHERE id <= 40`,
		`UPDATE posts SET status = 'published' WHERE id <= 20`,
		`UPDATE posts SET body = (`+large+`) WHERE id <= 10`,
		`UPDATE posts SET updated_at = now() WHERE id <= 15`,
	)
	c.requireEqual()
	c.exec(`UPDATE posts SET created_at = created_at - interval '1 hour'`) // from the rows in ClickHouse now
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestARowThatIsTooLargeForAMessageArrivesAllTheSame(t *testing.T) {
	c := newChain(t)
	c.exec(`INSERT INTO users (id, name) VALUES (1, 'one')`,
		`INSERT INTO posts (id, author_id, body) VALUES (1, 1, repeat('snapshot', 300000))`)
	c.start()
	c.requireEqual()
	c.exec(`INSERT INTO posts (id, author_id, body) VALUES (2, 1, repeat('inserted', 300000))`)
	c.requireEqual()
	c.exec(`UPDATE posts SET body = repeat('replaced', 300000)`, `UPDATE posts SET status = 'draft'`)
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestATruncateTakesWhatWasBeforeItAndNothingElse(t *testing.T) {
	c := newChain(t)
	c.exec(world(60))
	c.start()
	c.requireEqual()
	for range 3 {
		c.exec(
			`TRUNCATE likes, comments, mutes`,
			`INSERT INTO likes (user_id, post_id) SELECT i, 1 + i % 100 FROM generate_series(1, 60) i`,
			`TRUNCATE follows`,
			`INSERT INTO follows (follower_id, followee_id) SELECT i, i % 60 + 1 FROM generate_series(1, 60, 2) i WHERE i <> i % 60 + 1`,
			`BEGIN; INSERT INTO comments (id, post_id, author_id) SELECT i, i, 1 FROM generate_series(1, 30) i; TRUNCATE comments;
			 INSERT INTO comments (id, post_id, author_id) SELECT i, i, 2 FROM generate_series(20, 40) i; COMMIT`,
			`DELETE FROM blocks WHERE blocker_id < 30`,
		)
	}
	c.requireEqual()
	wait.Until(t, func() bool { return c.changes.has(core.Change{Kind: core.TableCleared}) })
}

func TestWhatCannotBeReadIsADeadLetterAndItsNeighboursGoOn(t *testing.T) {
	c := newChain(t)
	c.exec(world(20))
	c.start()
	c.requireEqual()
	c.exec(`INSERT INTO users (id, name) VALUES (0, 'not an id')`, `INSERT INTO users (id, name) VALUES (900, 'fine')`)
	wait.Until(t, func() bool { return len(c.letters.list()) == 1 })
	letter := c.letters.list()[0]
	require.Equal(t, "value_does_not_fit", letter.Reason)
	require.Contains(t, string(letter.Key), `:0`)
	c.exec(`DELETE FROM users WHERE id = 0`) // its delete cannot be read either
	c.requireEqual()
	wait.Until(t, func() bool { return len(c.letters.list()) == 2 })
}

func TestEveryMetricHasItsSeries(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	c.start()
	c.requireEqual()
	names := map[string]bool{}
	for _, reg := range []*prometheus.Registry{c.reg, c.sources} {
		families, err := reg.Gather()
		require.NoError(t, err)
		for _, f := range families {
			require.NotEmpty(t, f.GetHelp())
			names[f.GetName()] = true
		}
	}
	require.GreaterOrEqual(t, len(names), 15, "%v", names)
}

func TestReactionsAreCountedWhereTheirRowsAreNow(t *testing.T) {
	c := newChain(t)
	c.exec(world(40))
	c.start()
	c.requireEqual() // reactions_by_hour and reactions_by_user too
	c.exec(
		`UPDATE comments SET created_at = now() - interval '5 hours' WHERE id % 2 = 0`,
		`UPDATE comments SET author_id = 7 WHERE id % 3 = 0`,
		`DELETE FROM likes WHERE user_id < 10`,
		// again
		`INSERT INTO likes (user_id, post_id, created_at) SELECT i, 1 + (i * 7) % 120, now() - interval '9 hours' FROM generate_series(1, 5) i`,
		`DELETE FROM comments WHERE id % 5 = 0`,
		`BEGIN; INSERT INTO likes (user_id, post_id) VALUES (39, 1); DELETE FROM likes WHERE user_id = 39; COMMIT`,
	)
	c.requireEqual()
	c.exec(`TRUNCATE likes`, `INSERT INTO likes (user_id, post_id) VALUES (1, 2)`)
	c.requireEqual()
}

func TestATombstoneWritesNothing(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	tombstone := func(id string) {
		_, _, err := d.producer.SendMessage(&sarama.ProducerMessage{
			Topic: d.prefix + "users", Partition: 0,
			Key: sarama.StringEncoder(`{"id":` + id + `}`),
		})
		require.NoError(t, err)
	}
	tombstone("1")
	d.send("users", 0, `{"id":2}`, "c", user(2, "stands"), at{100, 110, now, "", 0})
	tombstone("2") // of an older life of the key, which the topic has not compacted yet
	d.settled(c, 1)
	require.Equal(t, []string{"2 stands"}, c.names())
	lines, err := tables.Copies(t.Context(), c.ClickHouse, "SELECT toString(id) AS line FROM users WHERE id IN (1, 2)")
	require.NoError(t, err)
	require.Equal(t, []string{"2"}, lines, "no row, deleted or not")
	wait.Until(t, func() bool { return gauge(t, c.reg, "tombstones_total", "public.users") == 2 })
}
