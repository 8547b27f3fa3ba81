package cdc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// probe is what the source says of itself to whoever asks whether this replica is ready.
func (c *chain) probe() string {
	if err := c.source.Probe(context.Background()); err != nil {
		return err.Error()
	}
	return ""
}

func (c *chain) says(words ...string) {
	c.t.Helper()
	said := ""
	wait.Until(c.t, func() bool {
		said = c.probe()
		for _, w := range words {
			if !strings.Contains(said, w) {
				return false
			}
		}
		return true
	}, "want %q of %s", words, &said)
}

func (c *chain) isWell() {
	c.t.Helper()
	wait.Until(c.t, func() bool { return c.probe() == "" }, "%s", c.probe())
}

// published are the tables of the publication with their columns.
func (c *chain) published() map[string]string {
	c.t.Helper()
	rows, err := c.Postgres.Query(c.t.Context(),
		`SELECT tablename::text, coalesce(array_to_string(attnames, ' '), '') FROM pg_publication_tables WHERE pubname = $1`, c.cfg.Source.Publication)
	require.NoError(c.t, err)
	all := map[string]string{}
	var table, columns string
	_, err = pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
		all[table] = columns
		return nil
	})
	require.NoError(c.t, err)
	return all
}

func TestATableWithoutAKeyIsNotPublishedAndTheAppDeletesOn(t *testing.T) {
	c := newChain(t)
	c.exec(world(20), `ALTER TABLE follows DROP CONSTRAINT follows_pkey`, `ALTER TABLE mutes REPLICA IDENTITY NOTHING`,
		`ALTER TABLE blocks DROP CONSTRAINT blocks_pkey, ADD PRIMARY KEY (blocker_id, blocked_id) DEFERRABLE`)
	c.start()
	c.says("table public.follows has neither a primary key", "table public.mutes", "table public.blocks")
	wait.Until(t, func() bool { _, in := c.published()["posts"]; return in }, "the others are read")
	for _, table := range []string{"follows", "mutes", "blocks"} {
		require.NotContains(t, c.published(), table)
	}
	c.exec(`DELETE FROM follows WHERE follower_id = 1`, `DELETE FROM mutes`, `DELETE FROM blocks WHERE blocker_id = 2`,
		`INSERT INTO posts (id, author_id) VALUES (900, 1)`)

	c.exec(`ALTER TABLE follows ADD PRIMARY KEY (follower_id, followee_id)`,
		`ALTER TABLE mutes REPLICA IDENTITY DEFAULT`,
		`ALTER TABLE blocks DROP CONSTRAINT blocks_pkey, ADD PRIMARY KEY (blocker_id, blocked_id)`)
	c.requireEqual()
	c.isWell()

	// A published table that loses its key is taken out again: the app's deletes would fail for as long as it is in.
	c.exec(`ALTER TABLE follows DROP CONSTRAINT follows_pkey`)
	wait.Until(t, func() bool {
		_, err := c.Postgres.Exec(t.Context(), `DELETE FROM follows WHERE follower_id = 2`)
		return err == nil
	})
	c.says("table public.follows has neither a primary key")
	c.exec(`ALTER TABLE follows ADD PRIMARY KEY (follower_id, followee_id)`,
		`INSERT INTO follows (follower_id, followee_id) VALUES (5, 6) ON CONFLICT DO NOTHING`)
	c.requireEqual()
	c.isWell()
}

func TestRowsAreToldApartByTheIndexThatIsTheReplicaIdentity(t *testing.T) {
	c := newChain(t)
	for _, table := range []string{"follows", "likes"} {
		columns := map[string]string{"follows": "follower_id, followee_id", "likes": "user_id, post_id"}[table]
		c.exec(fmt.Sprintf(`ALTER TABLE %[1]s DROP CONSTRAINT %[1]s_pkey, ADD id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`, table),
			fmt.Sprintf(`CREATE UNIQUE INDEX %[1]s_pair ON %[1]s (%[2]s)`, table, columns),
			fmt.Sprintf(`ALTER TABLE %[1]s REPLICA IDENTITY USING INDEX %[1]s_pair`, table))
	}
	c.exec(world(20), `ALTER TABLE posts ADD slug text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text`,
		`ALTER TABLE posts REPLICA IDENTITY USING INDEX posts_slug_key`)
	c.start()
	c.says("table public.posts tells only (\"slug\") of a deleted row, not id")
	c.exec(`ALTER TABLE posts REPLICA IDENTITY DEFAULT`)
	c.requireEqual()
	c.isWell()
	c.exec(`DELETE FROM follows WHERE follower_id = 3`, `DELETE FROM likes WHERE user_id = 4`,
		`UPDATE follows SET followee_id = 1 WHERE follower_id = 5 AND followee_id = (SELECT max(followee_id) FROM follows WHERE follower_id = 5)`)
	c.requireEqual()
	require.Empty(t, c.letters.list())

	// It becomes another one while rows change: what was known by the former key is gone.
	c.exec(`ALTER TABLE follows REPLICA IDENTITY DEFAULT`, `DELETE FROM follows WHERE follower_id = 6`,
		`INSERT INTO follows (follower_id, followee_id) VALUES (7, 1) ON CONFLICT DO NOTHING`)
	c.requireEqual()
	require.Empty(t, c.letters.list())
}

func TestATableThatIsReplacedIsPublishedAndReadAnew(t *testing.T) {
	for name, replace := range map[string][]string{
		"renamed": {
			`CREATE TABLE public.likes_new (LIKE likes INCLUDING ALL)`,
			`INSERT INTO public.likes_new SELECT * FROM likes WHERE user_id % 2 = 0`,
			`BEGIN; ALTER TABLE likes RENAME TO likes_old; ALTER TABLE likes_new RENAME TO likes; COMMIT`,
		},
		"dropped and created": {
			`ALTER TABLE likes RENAME TO likes_old`,
			`BEGIN; CREATE TABLE public.likes (LIKE likes_old INCLUDING ALL); DROP TABLE likes_old; COMMIT`,
		},
		"left out": nil,
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			c.exec(world(40))
			c.start()
			c.requireEqual()
			// A transaction that wrote before the table was published again: its rows are not in the log.
			if replace == nil {
				replace = []string{
					`ALTER PUBLICATION "` + c.cfg.Source.Publication + `" DROP TABLE likes`,
					`DELETE FROM likes WHERE user_id = 3`,
				}
			}
			c.exec(replace...)
			conn, err := pgx.Connect(t.Context(), c.PostgresConfig.DSN)
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
			open, err := conn.Begin(t.Context())
			require.NoError(t, err)
			_, err = open.Exec(t.Context(),
				`INSERT INTO likes (user_id, post_id) SELECT 7, id FROM posts ON CONFLICT DO NOTHING`)
			require.NoError(t, err)
			wait.Until(t, func() bool { _, in := c.published()["likes"]; return in })
			_, err = open.Exec(t.Context(), `DELETE FROM likes WHERE user_id = 8`)
			require.NoError(t, err)
			c.exec(`INSERT INTO likes (user_id, post_id) SELECT 9, id FROM posts ON CONFLICT DO NOTHING`,
				`DELETE FROM likes WHERE user_id = 10`)
			require.NoError(t, open.Commit(t.Context()))
			c.requireEqual()
			c.exec(`DELETE FROM likes WHERE user_id = 12`,
				`INSERT INTO likes (user_id, post_id) SELECT 13, id FROM posts ON CONFLICT DO NOTHING`)
			c.requireEqual()
			c.isWell()
			require.Empty(t, c.letters.list())
		})
	}
}
