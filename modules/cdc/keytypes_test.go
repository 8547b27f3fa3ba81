package cdc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
)

// keyedTables are an app whose users and posts have keys of these types, and whose other tables refer to them.
const keyedTables = `
	DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE;
	CREATE TABLE public.users (id %[1]s PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE public.posts (id %[2]s PRIMARY KEY, author_id %[3]s, status text NOT NULL DEFAULT 'published',
		created_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz);
	CREATE TABLE public.follows (follower_id %[1]s, followee_id %[1]s, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (follower_id, followee_id));
	CREATE TABLE public.blocks (blocker_id %[1]s, blocked_id %[1]s, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (blocker_id, blocked_id));
	CREATE TABLE public.mutes (muter_id %[1]s, muted_id %[1]s, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (muter_id, muted_id));
	CREATE TABLE public.comments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), post_id %[4]s, author_id %[1]s, created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE public.likes (user_id %[1]s, post_id %[4]s, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (user_id, post_id))`

func TestKeysAreCheckedAgainstTheTypesOfTheirColumns(t *testing.T) {
	c := newChain(t)
	c.exec(`CREATE EXTENSION IF NOT EXISTS citext`, `CREATE DOMAIN handle AS varchar(40)`,
		`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
	integer, uuids, text := core.IntegerKeys, core.UUIDKeys, core.TextKeys
	for name, one := range map[string]struct {
		users, posts, author, liked string // types; empty: as what they refer to
		keys                        core.KeyForms
		wrong                       []string // empty: it fits
	}{
		"integers":       {users: "bigint", posts: "int", author: "smallint"},
		"whole numerics": {users: "numeric(20)", posts: "numeric"},
		"UUIDs": {
			users: "uuid", posts: "uuid", keys: core.KeyForms{Users: uuids, Posts: uuids},
		},
		"texts": {
			users: "text", posts: "handle", author: "varchar(30)", keys: core.KeyForms{Users: text, Posts: text},
		},
		"mixed": {
			users: "bigint", posts: "text", keys: core.KeyForms{Users: integer, Posts: text},
		},
		"UUIDs as any text":            {users: "uuid", posts: "uuid", keys: core.KeyForms{Users: text, Posts: text}},
		"likes of things of all kinds": {users: "bigint", posts: "bigint", liked: "varchar(20)"},
		"UUIDs in an integer app": {users: "uuid", posts: "uuid", wrong: []string{
			"cdc.tables.user.columns.id: id of public.users is uuid, and keys.users is integer: set keys.users to uuid",
			"cdc.tables.post.columns.id: id of public.posts is uuid, and keys.posts is integer: set keys.posts to uuid",
			"cdc.tables.follow.columns.followee_id: followee_id of public.follows is uuid, and keys.users is integer",
		}},
		"texts in a UUID app": {
			users: "text", posts: "uuid",
			keys: core.KeyForms{Users: uuids, Posts: uuids}, wrong: []string{
				"id of public.users is text, and keys.users is uuid: set keys.users to text",
			},
		},
		"integers in a UUID app": {
			users: "bigint", posts: "uuid",
			keys: core.KeyForms{Users: uuids, Posts: uuids}, wrong: []string{
				"id of public.users is bigint, and keys.users is uuid: set keys.users to integer",
			},
		},
		"padded": {users: "char(26)", posts: "text", keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
			"id of public.users is character(26), which cannot be a key: PostgreSQL fills it up with blanks, which are no part of the key: ALTER COLUMN id TYPE text",
		}},
		"of any case": {
			users: "citext", posts: "text",
			keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
				"which cannot be a key: it takes upper and lower case for the same key: ALTER COLUMN id TYPE text",
			},
		},
		"of a loose collation": {
			users: "text COLLATE loose", posts: "text",
			keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
				`its collation loose takes different texts for the same key: ALTER COLUMN id TYPE text COLLATE "C"`,
			},
		},
		"with decimals": {
			users: "numeric", posts: "text",
			keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
				"id of public.users is numeric, which cannot be a key: it may have decimals, and 1 and 1.0 would be two keys",
			},
		},
		"of bytes": {users: "bytea", posts: "text", keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
			"id of public.users is bytea, which cannot be a key: keys are integers, uuid, text or varchar",
		}},
		"that do not fit each other": {
			users: "uuid", posts: "text", author: "text",
			keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
				"cdc.tables.post.columns.author_id: author_id of public.posts is text, and id of public.users, whose keys it holds, is uuid: PostgreSQL does not compare them; give both one type",
			},
		},
		"of two collations": {
			users: "text", posts: "text", author: `text COLLATE "C"`,
			keys: core.KeyForms{Users: text, Posts: text}, wrong: []string{
				"whose keys it holds, is text (collations C and default): PostgreSQL does not compare them",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			author, liked := one.author, one.liked
			if author == "" {
				author = one.users
			}
			if liked == "" {
				liked = one.posts
			}
			c.exec(fmt.Sprintf(keyedTables, one.users, one.posts, author, liked))
			m := mapping.Default()
			m.Keys = one.keys
			err := schema.CheckTables(t.Context(), c.Postgres, m, core.SystemClock{}.Now())
			if len(one.wrong) == 0 {
				require.NoError(t, err)
				return
			}
			var mismatch *schema.Mismatch
			require.ErrorAs(t, err, &mismatch)
			for _, want := range one.wrong {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestRowsThatWouldBecomeDeadLettersAreTold(t *testing.T) {
	c := newChain(t)
	c.exec(fmt.Sprintf(keyedTables, "text", "text", "text", "text"))
	m := mapping.Default()
	m.Keys = core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys}
	check := func() error { return schema.CheckTables(t.Context(), c.Postgres, m, core.SystemClock{}.Now()) }
	require.NoError(t, check())
	c.exec(`INSERT INTO users (id) SELECT 'u' || n FROM generate_series(1, 500) n`)
	require.NoError(t, check())
	c.exec(`INSERT INTO users (id) VALUES ('z` + strings.Repeat("z", core.MaxKey) + `')`)
	require.ErrorContains(t, check(),
		"cdc.tables.user: 1 of 200 rows of public.users that were tried would become dead letters, the first because of value_does_not_fit: column id: ")
}

func TestATableThatCannotBeReadIsToldWithWhatToDo(t *testing.T) {
	c := newChain(t)
	c.exec(`ALTER TABLE users ENABLE ROW LEVEL SECURITY`)
	c.as("reader")
	c.exec(`REVOKE SELECT ON likes FROM ` + c.cfg.Source.Slot + `reader`)
	err := schema.CheckTables(t.Context(), newPool(t, c.PostgresConfig), mapping.Default(), core.SystemClock{}.Now())
	require.ErrorContains(t, err, "cdc.tables.user.table: public.users cannot be read: ")
	require.ErrorContains(t, err, ": ALTER ROLE … BYPASSRLS, or name a role that may see every row")
	require.ErrorContains(t, err, "cdc.tables.like.table: public.likes cannot be read: ")
	require.ErrorContains(t, err, "GRANT SELECT ON public.likes")
}
