package cdc_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

func TestWritesThatOverlapTheSnapshotAreNotLost(t *testing.T) {
	c := newChain(t)
	c.exec(world(300))
	open, err := c.Postgres.Begin(t.Context()) // began before the slot, commits after it
	require.NoError(t, err)
	defer func() { _ = open.Rollback(t.Context()) }()
	for _, s := range []string{
		`UPDATE posts SET body = 'from before', created_at = created_at - interval '1 minute' WHERE id = 10`,
		`DELETE FROM likes WHERE user_id = 11`,
		`INSERT INTO follows (follower_id, followee_id) VALUES (12, 200)`,
	} {
		_, err := open.Exec(t.Context(), s)
		require.NoError(t, err)
	}
	c.makeTopics()
	c.startSource()
	c.startConsumer()
	c.exec(`UPDATE posts SET body = 'meanwhile', created_at = created_at - interval '1 minute' WHERE id = 20`,
		`DELETE FROM posts WHERE id = 30`, `DELETE FROM follows WHERE follower_id = 40`)
	require.NoError(t, open.Commit(t.Context()))
	for i := range 50 {
		c.exec(fmt.Sprintf(`UPDATE posts SET body = 'round %d', created_at = created_at - interval '1 minute' WHERE id %% 7 = %d`, i, i%7))
	}
	c.requireEqual()
}

func TestRestartsInTheMiddleLoseAndRepeatNothing(t *testing.T) {
	c := newChain(t)
	c.exec(world(60))
	c.start()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 4 {
		for range 30 {
			id := 1 + random.IntN(60)
			c.exec(
				fmt.Sprintf(`INSERT INTO posts (id, author_id, body) VALUES (%[1]d, %[2]d, 'round %[3]d') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, created_at = now()`, id, id, round),
				fmt.Sprintf(`DELETE FROM posts WHERE id = %d`, 1+random.IntN(180)),
				fmt.Sprintf(`INSERT INTO follows (follower_id, followee_id) VALUES (%d, %d) ON CONFLICT DO NOTHING`, id,
					1+random.IntN(60)),
				fmt.Sprintf(`DELETE FROM follows WHERE follower_id = %d AND followee_id %% 3 = %d`, id, round%3),
			)
		}
		if round%2 == 0 {
			c.stopSource()
			c.startSource()
		} else {
			c.stopConsumer()
			c.startConsumer()
		}
	}
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestAnInterruptedSnapshotGoesOn(t *testing.T) {
	c := newChain(t)
	c.cfg.Source.SnapshotRows = 10
	c.exec(world(200))
	c.makeTopics()
	c.startSource()
	wait.Until(t, func() bool {
		var begun bool
		err := c.Postgres.QueryRow(t.Context(),
			`SELECT count(*) FILTER (WHERE last_key IS NOT NULL) > 0 FROM feedrank.cdc_snapshots`).Scan(&begun)
		return err == nil && begun
	})
	c.stopSource()
	c.exec(`DELETE FROM posts WHERE id % 3 = 0`,
		`UPDATE posts SET body = 'changed', created_at = created_at - interval '1 minute' WHERE id % 3 = 1`)
	c.startSource()
	c.startConsumer()
	c.requireEqual()
}

// Of the truncates of a cluster the latest is remembered. The one that ends the reading of a table stands where the log
// began to be followed: it must not take the place of one that the log has after it.
func TestATruncateOfATableThatIsYetToBeReadOutlivesTheSweep(t *testing.T) {
	c := newChain(t)
	c.cfg.Source.SnapshotRows = 5
	c.exec(world(200))
	c.makeTopics()
	c.startSource()
	state := func(condition string) (holds bool) {
		err := c.Postgres.QueryRow(t.Context(),
			`SELECT count(*) > 0 FROM feedrank.cdc_snapshots WHERE `+condition).Scan(&holds)
		return err == nil && holds
	}
	wait.Until(t, func() bool { return state(`last_key IS NOT NULL`) })
	c.exec(`INSERT INTO blocks (blocker_id, blocked_id) VALUES (7, 9)`, `TRUNCATE blocks`)
	require.True(t, state(`table_name = 'public.blocks' AND last_key IS NULL AND NOT done`),
		"the table was read before the truncate: read the others more slowly")
	c.startConsumer()
	c.requireEqual()
	remembered, err := tables.Copies(t.Context(), c.ClickHouse,
		`SELECT concat(toString(count()), ' ', toString(argMax(lsn, (committed_at, lsn)) = max(lsn))) AS line FROM cdc_truncates WHERE topic LIKE '%blocks'`)
	require.NoError(t, err)
	require.Equal(t, []string{"2 1"}, remembered)
}
