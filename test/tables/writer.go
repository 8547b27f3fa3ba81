package tables

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// World is SQL that fills every table with a little: so many users, three posts for each.
func World(users int) string {
	return fmt.Sprintf(`
	INSERT INTO users (id, name) SELECT i, 'user ' || i FROM generate_series(1, %[1]d) i;
	INSERT INTO posts (id, author_id, body) SELECT i, 1 + i %% %[1]d, 'post ' || i FROM generate_series(1, 3 * %[1]d) i;
	INSERT INTO follows (follower_id, followee_id) SELECT i, 1 + (i + d) %% %[1]d FROM generate_series(1, %[1]d) i, generate_series(0, 3) d WHERE i <> 1 + (i + d) %% %[1]d;
	INSERT INTO comments (id, post_id, author_id, body) SELECT i, i, 1 + i %% %[1]d, 'hm' FROM generate_series(1, %[1]d) i;
	INSERT INTO likes (user_id, post_id) SELECT i, 1 + (i * 7) %% (3 * %[1]d) FROM generate_series(1, %[1]d) i;
	INSERT INTO blocks (blocker_id, blocked_id) SELECT i, i + 1 FROM generate_series(1, %[1]d - 1, 3) i;
	INSERT INTO mutes (muter_id, muted_id) SELECT i, i + 1 FROM generate_series(2, %[1]d - 1, 5) i;`, users)
}

// Writer is one session of the app, which commits random transactions in a World: all operations,
// changed keys, large values, truncates, changed schemas, and some that roll back.
type Writer struct {
	Pool      *pgxpool.Pool
	Random    *rand.Rand
	Users     int           // of the World
	Audiences bool          // of a schema with these
	Keep      int           // of the statements that could truncate a table one in so many does; 0: each
	Rows      *atomic.Int64 // counts the rows that committed statements changed
}

const (
	posts    = 400 // ids below this are written to
	pause    = 5 * time.Millisecond
	fewOf    = 12 // one transaction in so many rolls back
	manyRows = 800
)

// Run commits until ctx ends. A transaction may fail, by a deadlock or a killed server: then the
// database knows whether it counts.
func (w *Writer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		var rows int64
		err := pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
			for range 1 + w.Random.IntN(6) {
				tag, err := tx.Exec(ctx, w.statement())
				if err != nil {
					return err
				}
				rows += tag.RowsAffected()
			}
			if w.Random.IntN(fewOf) == 0 {
				return pgx.ErrTxCommitRollback
			}
			return nil
		})
		wait := pause
		if err == nil {
			w.Rows.Add(rows)
		} else {
			wait = 4 * pause
		}
		_ = worker.Pause(ctx, wait)
	}
}

func (w *Writer) user() int { return 1 + w.Random.IntN(w.Users) }

func (w *Writer) post() int { return 1 + w.Random.IntN(posts) }

// statement is one random change; several make a transaction.
func (w *Writer) statement() string {
	kinds := []func() string{
		w.many, w.putPost, w.putPost, w.changePost, w.changePost, w.movePost, w.follow, w.follow,
		w.unfollow, w.like, w.comment, w.relate, w.relate, w.rare,
	}
	if w.Audiences {
		kinds = append(kinds, w.audience, w.audience, w.audience)
	}
	return kinds[w.Random.IntN(len(kinds))]()
}

func (w *Writer) putPost() string {
	switch w.Random.IntN(10) {
	case 0: // and again under the same id, in one transaction or the next
		return fmt.Sprintf(`DELETE FROM posts WHERE id = %d`, w.post())
	case 1:
		return fmt.Sprintf(`INSERT INTO posts (id, author_id, body) SELECT 10000 + i, %d, 'one of many' FROM generate_series(1, %d) i ON CONFLICT (id) DO UPDATE SET body = 'again ' || random(), author_id = EXCLUDED.author_id`,
			w.user(), 1+w.Random.IntN(manyRows))
	case 2:
		return `DELETE FROM posts WHERE id > 10000`
	default:
		return fmt.Sprintf(`INSERT INTO posts (id, author_id, body) VALUES (%d, %d, 'p%d') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, author_id = EXCLUDED.author_id`,
			w.post(), w.user(), w.Random.IntN(1e6))
	}
}

func (w *Writer) changePost() string {
	switch w.Random.IntN(3) {
	case 0: // stored apart, so that later changes do not bring it
		return fmt.Sprintf(`UPDATE posts SET body = (SELECT string_agg(md5(i::text || '%d'), '') FROM generate_series(1, 400) i) WHERE id = %d`,
			w.Random.IntN(1e6), w.post())
	case 1:
		return fmt.Sprintf(`UPDATE posts SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = %d`,
			w.post())
	default:
		return fmt.Sprintf(`UPDATE posts SET status = '%s' WHERE id %% 50 = %d`,
			[]string{"published", "draft"}[w.Random.IntN(2)], w.Random.IntN(50))
	}
}

// movePost changes a primary key, there or back.
func (w *Writer) movePost() string {
	from, to := w.post(), w.post()+1000
	if w.Random.IntN(2) == 0 {
		from, to = to, from
	}
	return fmt.Sprintf(`UPDATE posts SET id = %[2]d WHERE id = %[1]d AND NOT EXISTS (SELECT FROM comments WHERE post_id = %[1]d)
		AND NOT EXISTS (SELECT FROM likes WHERE post_id = %[1]d) AND NOT EXISTS (SELECT FROM posts WHERE id = %[2]d)`, from, to)
}

// many fills what deletes and truncates have emptied.
func (w *Writer) many() string {
	switch n := 1 + w.Random.IntN(manyRows); w.Random.IntN(8) {
	case 0:
		return fmt.Sprintf(`INSERT INTO follows (follower_id, followee_id) SELECT 1 + (random() * %[1]d)::int, 1 + (random() * %[1]d)::int FROM generate_series(1, %[2]d) ON CONFLICT DO NOTHING`, w.Users-1, n)
	case 1:
		return fmt.Sprintf(`INSERT INTO likes (user_id, post_id) SELECT 1 + (random() * %d)::int, id FROM posts ORDER BY random() LIMIT %d ON CONFLICT DO NOTHING`, w.Users-1, n)
	case 2:
		return fmt.Sprintf(`INSERT INTO comments (post_id, author_id, body) SELECT id, %d, 'many' FROM posts ORDER BY random() LIMIT %d`, w.user(), n)
	case 3:
		return fmt.Sprintf(`UPDATE comments SET author_id = %d WHERE id %% 40 = %d`, w.user(), w.Random.IntN(40))
	case 4:
		return fmt.Sprintf(`DELETE FROM comments WHERE id %% 30 = %d`, w.Random.IntN(30))
	default:
		return w.putPost()
	}
}

func (w *Writer) follow() string {
	return fmt.Sprintf(`INSERT INTO follows (follower_id, followee_id) VALUES (%d, %d) ON CONFLICT DO NOTHING`,
		w.user(), w.user())
}

func (w *Writer) unfollow() string {
	if w.Random.IntN(2) == 0 {
		return fmt.Sprintf(`DELETE FROM follows WHERE follower_id = %d`, w.user())
	}
	return fmt.Sprintf(`UPDATE follows SET followee_id = %[2]d WHERE follower_id = %[1]d
		AND followee_id = (SELECT min(followee_id) FROM follows WHERE follower_id = %[1]d)
		AND NOT EXISTS (SELECT FROM follows WHERE follower_id = %[1]d AND followee_id = %[2]d)`, w.user(), w.user())
}

func (w *Writer) like() string {
	if w.Random.IntN(3) == 0 {
		return fmt.Sprintf(`DELETE FROM likes WHERE user_id = %d`, w.user())
	}
	return fmt.Sprintf(`INSERT INTO likes (user_id, post_id) SELECT %d, id FROM posts ORDER BY random() LIMIT 3 ON CONFLICT DO NOTHING`, w.user())
}

func (w *Writer) comment() string {
	if w.Random.IntN(2) == 0 {
		return fmt.Sprintf(`UPDATE comments SET created_at = now() - interval '1 second' * %d WHERE id %% 9 = %d`,
			w.Random.IntN(9000), w.Random.IntN(9))
	}
	return fmt.Sprintf(`INSERT INTO comments (post_id, author_id, body) SELECT id, %d, 'c' FROM posts ORDER BY random() LIMIT 2`, w.user())
}

func (w *Writer) relate() string {
	switch w.Random.IntN(4) {
	case 0:
		return fmt.Sprintf(`INSERT INTO blocks (blocker_id, blocked_id) VALUES (%d, %d) ON CONFLICT DO NOTHING`,
			w.user(), w.user())
	case 1:
		return fmt.Sprintf(`DELETE FROM blocks WHERE blocked_id = %d`, w.user())
	case 2:
		return fmt.Sprintf(`INSERT INTO mutes (muter_id, muted_id) VALUES (%d, %d) ON CONFLICT (muter_id, muted_id) DO UPDATE SET created_at = now()`, w.user(), w.user())
	default:
		return fmt.Sprintf(`DELETE FROM mutes WHERE muter_id = %d`, w.user())
	}
}

// rare is what hits a whole table, and what an app's migrations do.
func (w *Writer) rare() string {
	column := fmt.Sprint("extra", w.Random.IntN(3))
	truncates := []string{
		`TRUNCATE likes`, `TRUNCATE comments`, `TRUNCATE mutes, blocks`, `TRUNCATE follows`,
		`TRUNCATE posts CASCADE`,
	}
	all := []string{
		`ALTER TABLE posts ADD COLUMN IF NOT EXISTS ` + column + ` int DEFAULT 7`,
		`ALTER TABLE posts DROP COLUMN IF EXISTS ` + column,
		`ALTER TABLE follows REPLICA IDENTITY FULL`, `ALTER TABLE follows REPLICA IDENTITY DEFAULT`,
		`ALTER TABLE posts REPLICA IDENTITY FULL`, `ALTER TABLE posts REPLICA IDENTITY DEFAULT`,
	}
	if w.Random.IntN(8) > 0 {
		return fmt.Sprintf(`UPDATE users SET name = 'n%[1]d', created_at = created_at - interval '1 second' * %[1]d WHERE id = %[2]d`, w.Random.IntN(1e6), w.user())
	}
	if w.Audiences {
		truncates = append(truncates, `TRUNCATE memberships`, `TRUNCATE dismissals`)
	}
	if w.Random.IntN(2) == 0 && w.Random.IntN(max(1, w.Keep)) == 0 { // truncates leave little to compare
		return truncates[w.Random.IntN(len(truncates))]
	}
	return all[w.Random.IntN(len(all))]
}
