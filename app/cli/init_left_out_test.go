package cli

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/propose"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

const usersAndPosts = `
	CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE posts (id bigint PRIMARY KEY, author_id bigint REFERENCES users, created_at timestamptz DEFAULT now());`

// leftOut says that something is told of, in the file and to who ran the command.
func leftOut(t *testing.T, text, said, reason string) {
	t.Helper()
	require.Contains(t, said, reason)
	require.Contains(t, text, "# "+reason)
}

func TestInitLeavesOutTablesThatDoNotFit(t *testing.T) {
	cfg, text, said := proposed(t, usersAndPosts+`
		CREATE TABLE follows (follower_id bigint, followee_id bigint, created_at timestamptz);
		CREATE TABLE blocks (blocker_id bigint, blocked_id bigint, created_at timestamptz, PRIMARY KEY (blocker_id, blocked_id));
		ALTER TABLE blocks REPLICA IDENTITY NOTHING;
		CREATE TABLE mutes (muter_id bigint, muted_id bigint, created bigint, PRIMARY KEY (muter_id, muted_id));
		INSERT INTO mutes VALUES (1, 2, 4102444800000);
		CREATE TABLE topic_posts (id bigint PRIMARY KEY, author_id bigint, body text, title text, created_at timestamp);
		INSERT INTO topic_posts VALUES (1, 1, '', '', '1997-01-01')`)
	leftOut(t, text, said, "public.follows: not mapped as follow: it has no primary key")
	leftOut(t, text, said, "public.blocks: not mapped as block: it has no primary key, or its replica identity is nothing")
	leftOut(t, text, said, "public.mutes: not mapped as mute: cdc.tables.mute.columns.created_at: created of row 2:1 of public.mutes is 4102444800000")
	require.Equal(t, "public.posts", cfg.CDC.Tables.Post.Table)
	require.Empty(t, cfg.CDC.Tables.Follow.Table+cfg.CDC.Tables.Block.Table+cfg.CDC.Tables.Mute.Table)
}

func TestInitTakesAnotherTableForOneThatDoesNotFit(t *testing.T) {
	cfg, text, said := proposed(t, `
		CREATE TABLE posts (id bigint PRIMARY KEY, author_id bigint, created_at timestamp);
		INSERT INTO posts VALUES (1, 1, '1997-01-01');
		CREATE TABLE articles (id bigint PRIMARY KEY, author_id bigint, created_at timestamptz)`)
	leftOut(t, text, said, "public.posts: not mapped as post: cdc.tables.post.columns.created_at")
	require.Equal(t, "public.articles", cfg.CDC.Tables.Post.Table)
}

func TestInitReadsWhatItsRoleMayRead(t *testing.T) {
	dsn := databaseOf(t, usersAndPosts+`
		CREATE TABLE follows (follower_id bigint, followee_id bigint, created_at timestamptz, PRIMARY KEY (follower_id, followee_id));
		CREATE TABLE blocks (blocker_id bigint, blocked_id bigint, created_at timestamptz, PRIMARY KEY (blocker_id, blocked_id));
		ALTER TABLE blocks ENABLE ROW LEVEL SECURITY;
		CREATE SCHEMA closed;
		CREATE TABLE closed.mutes (muter_id bigint, muted_id bigint, created_at timestamptz, PRIMARY KEY (muter_id, muted_id));
		DROP ROLE IF EXISTS init_reader; CREATE ROLE init_reader LOGIN PASSWORD 'init_reader';
		GRANT SELECT ON users, posts, blocks, closed.mutes TO init_reader`)
	role, err := url.Parse(dsn)
	require.NoError(t, err)
	role.User = url.UserPassword("init_reader", "init_reader")
	t.Cleanup(func() {
		pool, err := postgres.NewPool(context.Background(), poolOf(dsn))
		require.NoError(t, err)
		defer pool.Close()
		_, err = pool.Exec(context.Background(), "DROP OWNED BY init_reader")
		require.NoError(t, err)
		_, err = pool.Exec(context.Background(), "DROP ROLE init_reader")
		require.NoError(t, err)
	})
	cfg, text, said := read(t, role.String())
	leftOut(t, text, said, "public.follows: not mapped as follow: our role may not read it: GRANT SELECT")
	leftOut(t, text, said, "public.blocks: not mapped as block: it cannot be read: ")
	require.Contains(t, said, "row-level security")
	leftOut(t, text, said, "closed.mutes: not mapped as mute: it cannot be read: ")
	require.Contains(t, said, "permission denied for schema closed")
	require.Equal(t, "public.posts", cfg.CDC.Tables.Post.Table)

	role.User = url.UserPassword("nobody_at_all", "hunter2")
	_, _, err = initialized("--connect", role.String(), "--out", filepath.Join(t.TempDir(), "feedrank.yaml"))
	require.ErrorContains(t, err, "cannot connect")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestInitTakesVotesDownAsDislikes(t *testing.T) {
	const likes = `CREATE TABLE votes (user_id bigint, post_id bigint, value int, created_at timestamptz, PRIMARY KEY (user_id, post_id))`
	for name, c := range map[string]struct {
		rows, reason string
		taken        bool
	}{
		"up and down": {"(1, 1, 1), (2, 1, -1), (3, 1, 2)", "a value above 0 is a like, below 0 a dislike", true},
		"none yet":    {"", "a value above 0 is a like", true},
		"only down":   {"(1, 1, -1)", "below 0 a dislike", true},
		"many":        {"(1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4), (1, 5, 5), (1, 6, 6), (1, 7, 7), (1, 8, 8), (1, 9, 9)", "value has many values", false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.rows != "" {
				c.rows = "; INSERT INTO votes (user_id, post_id, value) VALUES " + c.rows
			}
			cfg, text, _ := proposed(t, usersAndPosts+likes+c.rows)
			require.Equal(t, c.taken, cfg.CDC.Tables.Like.Table == "public.votes")
			require.Equal(t, c.taken, cfg.CDC.Tables.Like.Columns["value"] == "value")
			require.Empty(t, cfg.CDC.Tables.Like.OnlyWhen)
			require.Contains(t, text, c.reason)
		})
	}
	cfg, _, _ := proposed(t, usersAndPosts+`CREATE TABLE votes (user_id bigint, post_id bigint, is_upvote bool, created_at timestamptz, PRIMARY KEY (user_id, post_id))`)
	require.Equal(t, map[string]int{"true": 1, "false": -1}, cfg.CDC.Tables.Like.Values)
	require.Equal(t, "is_upvote", cfg.CDC.Tables.Like.Columns["value"])
}

func TestInitHidesWhoIsSuspended(t *testing.T) {
	cfg, text, said := proposed(t, `CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz,
		suspended_at timestamptz, banned bool, "isActive" bool, silenced_till timestamptz, deactivated_at bigint,
		deleted_at timestamptz, is_deleted bool);
		CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint, created_at timestamptz DEFAULT now())`)
	require.Equal(t, []mapping.Condition{
		{Column: "suspended_at", Is: "set"},
		{Column: "banned", Is: "true"},
		{Column: "isActive", Is: "false"},
		{Column: "deactivated_at", Is: "set"},
	}, cfg.CDC.Tables.User.HiddenWhen)
	require.Equal(t, []mapping.Condition{{Column: "deleted_at", Is: "set"}, {Column: "is_deleted", Is: "true"}},
		cfg.CDC.Tables.User.GoneWhen)
	leftOut(t, text, said, "public.users: CHECK: does silenced_till end a suspension?")
	leftOut(t, text, said, "public.users: CHECK: hidden unless isActive")
}

func TestInitAsksForTheZoneOfLocalTimes(t *testing.T) {
	const posts = `CREATE TABLE posts (id bigint PRIMARY KEY, author_id bigint, created_at timestamp);`
	cfg, text, said := proposed(t, posts)
	require.Empty(t, cfg.CDC.Tables.Post.TimeZone)
	leftOut(t, text, said, "public.posts: CHECK: created_at has no zone: read as UTC; set time_zone")
	cfg, text, said = proposed(t, posts+
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Europe/Berlin''', current_database()); END $$`)
	require.Equal(t, "Europe/Berlin", cfg.CDC.Tables.Post.TimeZone)
	leftOut(t, text, said, "public.posts: CHECK: created_at has no zone: read as Europe/Berlin, the database's; set time_zone to UTC")
}

func TestInitSaysHowManyTablesItDidNotLookAt(t *testing.T) {
	pool, err := postgres.NewPool(t.Context(), poolOf(databaseOf(t, usersAndPosts)))
	require.NoError(t, err)
	defer pool.Close()
	catalog, err := schema.ReadCatalog(t.Context(), pool, 1)
	require.NoError(t, err)
	require.Len(t, catalog.Tables, 1)
	require.Contains(t, propose.From(catalog).Doubts, "1 tables were not looked at")
}
