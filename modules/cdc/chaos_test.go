package cdc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/embedded"
	"github.com/feedrank/feedrank/test/stack"
)

// chaosKills is how often each part is killed; `make chaos` sets it higher.
func chaosKills(t *testing.T) int {
	text := os.Getenv("FEEDRANK_TEST_CDC_KILLS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// writer is one session of the app, which commits random transactions.
type writer struct {
	pg      *chain
	random  *rand.Rand
	changes *atomic.Int64
}

const people = 60

func (w *writer) id(n int) int { return 1 + w.random.IntN(n) }

// statement is one random change; several make a transaction.
func (w *writer) statement() string {
	large := fmt.Sprintf("(SELECT string_agg(md5(i::text || '%d'), '') FROM generate_series(1, 400) i)", w.random.IntN(1e6))
	switch w.random.IntN(24) {
	case 0, 1, 2:
		return fmt.Sprintf(`INSERT INTO posts (id, author_id, body) VALUES (%d, %d, 'p%d') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body`, w.id(400), w.id(people), w.random.IntN(1e6))
	case 3:
		return fmt.Sprintf(`UPDATE posts SET body = %s WHERE id = %d`, large, w.id(400))
	case 4, 5:
		return fmt.Sprintf(`UPDATE posts SET status = '%s' WHERE id %% 50 = %d`, []string{"published", "draft"}[w.random.IntN(2)], w.random.IntN(50))
	case 6:
		return fmt.Sprintf(`DELETE FROM posts WHERE id = %d`, w.id(400))
	case 7:
		return fmt.Sprintf(`UPDATE posts SET id = id + 1000 WHERE id = %d AND NOT EXISTS (SELECT FROM comments WHERE post_id = %[1]d) AND NOT EXISTS (SELECT FROM likes WHERE post_id = %[1]d) AND NOT EXISTS (SELECT FROM posts WHERE id = %[1]d + 1000)`, w.id(400))
	case 8, 9, 10:
		return fmt.Sprintf(`INSERT INTO follows (follower_id, followee_id) VALUES (%d, %d) ON CONFLICT DO NOTHING`, w.id(people), w.id(people))
	case 11:
		return fmt.Sprintf(`DELETE FROM follows WHERE follower_id = %d`, w.id(people))
	case 12:
		return fmt.Sprintf(`UPDATE follows f SET followee_id = %[2]d WHERE follower_id = %[1]d AND followee_id = (SELECT min(followee_id) FROM follows WHERE follower_id = %[1]d) AND NOT EXISTS (SELECT FROM follows WHERE follower_id = %[1]d AND followee_id = %[2]d)`, w.id(people), w.id(people))
	case 13, 14:
		return fmt.Sprintf(`INSERT INTO likes (user_id, post_id) SELECT %d, id FROM posts ORDER BY random() LIMIT 3 ON CONFLICT DO NOTHING`, w.id(people))
	case 15:
		return fmt.Sprintf(`DELETE FROM likes WHERE user_id = %d`, w.id(people))
	case 16:
		return fmt.Sprintf(`INSERT INTO comments (post_id, author_id, body) SELECT id, %d, 'c' FROM posts ORDER BY random() LIMIT 2`, w.id(people))
	case 17:
		return `UPDATE comments SET created_at = created_at + interval '1 second' WHERE id % 9 = ` + strconv.Itoa(w.random.IntN(9))
	case 18:
		return fmt.Sprintf(`INSERT INTO blocks (blocker_id, blocked_id) VALUES (%d, %d) ON CONFLICT DO NOTHING`, w.id(people), w.id(people))
	case 19:
		return fmt.Sprintf(`DELETE FROM blocks WHERE blocked_id = %d`, w.id(people))
	case 20:
		return fmt.Sprintf(`INSERT INTO mutes (muter_id, muted_id) VALUES (%d, %d) ON CONFLICT (muter_id, muted_id) DO UPDATE SET created_at = now()`, w.id(people), w.id(people))
	case 21:
		return fmt.Sprintf(`UPDATE users SET name = 'n%d' WHERE id = %d`, w.random.IntN(1e6), w.id(people))
	case 22:
		return []string{`TRUNCATE likes`, `TRUNCATE comments`, `TRUNCATE mutes, blocks`, `TRUNCATE follows`}[w.random.IntN(4)]
	default:
		column := "extra" + strconv.Itoa(w.random.IntN(3))
		if w.random.IntN(2) == 0 {
			return `ALTER TABLE posts ADD COLUMN IF NOT EXISTS ` + column + ` int DEFAULT 7`
		}
		return `ALTER TABLE posts DROP COLUMN IF EXISTS ` + column
	}
}

// run commits until ctx ends. A transaction may fail, by a deadlock or a killed server: then the
// database knows whether it counts.
func (w *writer) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := pgx.BeginFunc(ctx, w.pg.Postgres, func(tx pgx.Tx) error {
			for range 1 + w.random.IntN(6) {
				tag, err := tx.Exec(ctx, w.statement())
				if err != nil {
					return err
				}
				w.changes.Add(tag.RowsAffected())
			}
			if w.random.IntN(12) == 0 {
				return pgx.ErrTxCommitRollback
			}
			return nil
		})
		pause := 5 * time.Millisecond
		if err != nil {
			pause = 20 * time.Millisecond
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func TestWhateverIsKilledTheTablesAreEqual(t *testing.T) {
	c := chainOn(t, stack.Own(t))
	c.exec(world(people))
	c.start()

	var changes atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range 3 {
		w := &writer{pg: c, random: rand.New(rand.NewPCG(uint64(i), 11)), changes: &changes}
		writers.Go(func() { w.run(ctx) })
	}
	servers := map[string]*embedded.Server{"clickhouse": c.Servers.ClickHouse, "postgres": c.Servers.Postgres, "kafka": c.Servers.Kafka}
	parts := []string{"source", "consumer", "clickhouse", "postgres", "kafka"}
	var plan []string
	for range chaosKills(t) {
		plan = append(plan, parts...)
	}
	random := rand.New(rand.NewPCG(5, 7))
	random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	for _, part := range plan {
		at := changes.Load() + 50 + int64(random.IntN(100))
		require.Eventually(t, func() bool { return changes.Load() >= at }, patience, 5*time.Millisecond)
		switch part {
		case "source":
			c.stopSource()
			c.startSource()
		case "consumer":
			c.stopConsumer()
			c.startConsumer()
		default:
			require.NoError(t, servers[part].Kill())
			require.NoError(t, servers[part].Start(t.Context()))
		}
	}
	at := changes.Load() + 100
	require.Eventually(t, func() bool { return changes.Load() >= at }, patience, 5*time.Millisecond)
	cancel()
	writers.Wait()
	rows := requireEqualTables(t, c.Postgres, c.ClickHouse)
	for _, l := range c.letters.list() {
		require.Failf(t, "dead letter", "%s %s: %s", l.Topic, l.Key, l.Detail)
	}
	_, err := fmt.Fprintf(os.Stdout, "cdc-chaos: changes=%d kills=%d tables_equal=true rows_checked=%d\n", changes.Load(), len(plan), rows)
	require.NoError(t, err)
}

func chainOn(t *testing.T, servers *stack.Stack) *chain {
	t.Helper()
	c := configured(t, servers)
	c.cfg.Source.Slot, c.cfg.Source.Publication = "chaos", "chaos"
	return c
}
