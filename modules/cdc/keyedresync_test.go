package cdc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/core"
)

// TestCopiesOfTablesWithKeysOfAllFormsAreComparedAndRepaired spoils copies of tables whose keys are UUIDs and texts.
func TestCopiesOfTablesWithKeysOfAllFormsAreComparedAndRepaired(t *testing.T) {
	for name, one := range map[string]struct {
		types [4]string
		keys  core.KeyForms
		user  string // of number i
		post  string
	}{
		"UUIDs": {
			[4]string{"uuid", "uuid", "uuid", "uuid"},
			core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys},
			`md5('u' || i)::uuid`, `md5('p' || i)::uuid`,
		},
		"integers and texts": {
			[4]string{"bigint", "text", "bigint", "text"},
			core.KeyForms{Users: core.IntegerKeys, Posts: core.TextKeys},
			`i`, `'post of ' || i`,
		},
		"large integers": {
			[4]string{"bigint", "bigint", "bigint", "bigint"}, core.KeyForms{}, `4611686018427387900 + i`, `9000000000000000000 + i`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			c.cfg.Tables.Keys = one.keys
			c.exec(fmt.Sprintf(keyedTables, one.types[0], one.types[1], one.types[2], one.types[3]),
				`INSERT INTO users (id) SELECT `+one.user+` FROM generate_series(1, 60) i`,
				`INSERT INTO posts (id, author_id) SELECT `+one.post+`, u.id FROM generate_series(1, 200) i JOIN (SELECT id, row_number() OVER () AS n FROM users) u ON u.n = 1 + i % 60`,
				`INSERT INTO follows (follower_id, followee_id) SELECT a.id, b.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) a JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) b ON b.n IN (a.n % 60 + 1, a.n % 60 + 2)`,
				`INSERT INTO likes (user_id, post_id) SELECT u.id, p.id FROM users u CROSS JOIN (SELECT id FROM posts LIMIT 3) p`,
				`INSERT INTO blocks (blocker_id, blocked_id) SELECT a.id, b.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) a JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) b ON b.n = a.n + 5`,
			)
			c.start()
			c.requireCopies(keyedOriginals())
			texts := c.texts("users", "posts")
			gone, err := core.TextKeys.Parse("a post that was deleted")
			require.NoError(t, err)
			switch one.keys.Posts {
			case core.UUIDKeys:
				gone, err = core.ParseKey("0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f")
			case "":
				gone, err = core.ParseKey("9000000000000900000")
			case core.IntegerKeys, core.TextKeys:
			}
			require.NoError(t, err)
			texts[gone.ID] = gone.Text
			r := c.resync().Naming(func(_ context.Context, ids []core.ID) (map[core.ID]string, error) {
				found := map[core.ID]string{}
				for _, id := range ids {
					if text, ok := texts[id]; ok {
						found[id] = text
					}
				}
				return found, nil
			})
			for _, comparison := range compare(t, r, resync.Options{Settle: 100 * time.Millisecond}) {
				require.True(t, comparison.Equal(), "%+v", comparison)
			}
			c.spoil(
				`INSERT INTO posts SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM posts FINAL WHERE id % 7 = 1 ORDER BY id LIMIT 5`,
				`INSERT INTO posts SELECT * REPLACE (version + 1 AS version, author_id + 1 AS author_id) FROM posts FINAL WHERE id % 7 = 2 ORDER BY id LIMIT 5`,
				fmt.Sprintf(`INSERT INTO posts SELECT * REPLACE (toInt64(%d) AS id) FROM posts FINAL ORDER BY id LIMIT 1`, gone.ID),
				`INSERT INTO users SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM users FINAL ORDER BY id LIMIT 5`,
				`INSERT INTO likes SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM likes FINAL ORDER BY row_key LIMIT 5`,
				`INSERT INTO viewer_edges SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM viewer_edges FINAL WHERE kind = 'blocked_by' ORDER BY viewer_id LIMIT 5`,
			)
			found := map[string]resync.Comparison{}
			for _, comparison := range compare(t, r, resync.Options{Settle: 100 * time.Millisecond}) {
				found[comparison.Kind] = comparison
			}
			require.Equal(t, []int{5, 5, 1}, []int{found["post"].Missing, found["post"].Wrong, found["post"].TooMany})
			require.Equal(t, []int{5, 5, 5}, []int{found["user"].Missing, found["like"].Missing, found["block"].Edges})
			compare(t, r, resync.Options{Repair: true})
			c.requireCopies(keyedOriginals())
			require.Empty(t, c.letters.list())
			if one.keys.Posts != "" && one.keys.Posts != core.IntegerKeys {
				c.leavesOutWhatIsRefused(t, r)
			}
		})
	}
}

// leavesOutWhatIsRefused has a post that no copy can have, because its number is another's.
func (c *chain) leavesOutWhatIsRefused(t *testing.T, r *resync.Resync) {
	t.Helper()
	var post core.Key
	for id, text := range c.texts("posts") {
		post = core.Key{ID: id, Text: text}
		break
	}
	c.spoil(fmt.Sprintf(`INSERT INTO posts SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM posts FINAL WHERE id = %d`, post.ID))
	r = r.Refusing(func(context.Context, []core.Key) (core.RefusedKeys, error) {
		return core.RefusedKeys{post: {}}, nil
	})
	for range 2 {
		for _, comparison := range compare(t, r, resync.Options{Repair: true}) {
			require.True(t, comparison.Equal(), "%+v", comparison)
			require.Zero(t, comparison.Repairs, "%+v", comparison)
			want := 0
			if comparison.Kind == "post" {
				want = 1
			}
			require.Equal(t, want, comparison.Refused, "%+v", comparison)
		}
	}
}

// texts are the keys of tables by their numbers.
func (c *chain) texts(names ...string) map[core.ID]string {
	c.t.Helper()
	texts := map[core.ID]string{}
	for _, name := range names {
		rows, err := c.Postgres.Query(c.t.Context(), `SELECT id::text FROM `+name)
		require.NoError(c.t, err)
		for rows.Next() {
			var text string
			require.NoError(c.t, rows.Scan(&text))
			key, err := core.ParseKey(text)
			require.NoError(c.t, err)
			if key.Text != "" {
				texts[key.ID] = text
			}
		}
		require.NoError(c.t, rows.Err())
	}
	return texts
}

// keyedOriginals are the lines of keyedTables.
func keyedOriginals() map[string]string {
	return keyedCopies(map[string]string{
		"users":   `SELECT concat_ws('|', #(id), 0, 0, ` + micros + `) FROM users`,
		"posts":   `SELECT concat_ws('|', #(id), #(author_id), 0, 0, ` + micros + `) FROM posts`,
		"follows": `SELECT concat_ws('|', #(follower_id), #(followee_id), ` + micros + `) FROM follows`,
		"likes":   `SELECT concat_ws('|', #(user_id), #(post_id), ` + micros + `) FROM likes`,
		"blocks":  `SELECT concat_ws('|', 'block', #(blocker_id), #(blocked_id), ` + micros + `) FROM blocks`,
		"viewer_edges": `SELECT concat_ws('|', #(follower_id), 'follow', #(followee_id)) FROM follows
			UNION ALL SELECT concat_ws('|', #(blocker_id), 'block', #(blocked_id)) FROM blocks
			UNION ALL SELECT concat_ws('|', #(blocked_id), 'blocked_by', #(blocker_id)) FROM blocks`,
	})
}
