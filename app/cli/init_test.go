package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

const examples = "../../sql/postgres/example/"

// proposed is what init makes of a database with these tables: the configuration, its text and what was said.
func proposed(t *testing.T, statements string) (cfg config.Config, text, said string) {
	t.Helper()
	return read(t, databaseOf(t, statements))
}

// read is what init makes of a database, which fits it.
func read(t *testing.T, dsn string) (cfg config.Config, text, said string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "feedrank.yaml")
	_, said, err := initialized("--connect", dsn, "--out", file)
	require.NoError(t, err, said)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	cfg, err = config.Load(config.Sources{File: file})
	require.NoError(t, err, string(written))
	require.NoError(t, config.CheckPublished(cfg))
	require.NoError(t, app.Validate(cfg))
	cfg.Postgres.DSN = dsn // with its password
	pool, err := postgres.NewPool(t.Context(), poolOf(dsn))
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, schema.CheckTables(t.Context(), pool, cfg.CDC.Tables, core.SystemClock{}.Now()),
		"as check-config --connect")
	warnings, err := schema.CheckCounted(t.Context(), pool, cfg.CDC.Tables, cfg.Engagement)
	require.NoError(t, err)
	require.Empty(t, warnings)
	return cfg, string(written), said
}

func databaseOf(t *testing.T, statements string) string {
	t.Helper()
	dsn := embeddedtest.NewDatabase(t)
	pool, err := postgres.NewPool(t.Context(), poolOf(dsn))
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), statements)
	require.NoError(t, err)
	return dsn
}

func poolOf(dsn string) postgres.Config {
	cfg := postgres.DefaultConfig()
	cfg.DSN, cfg.MaxConns = dsn, 1
	return cfg
}

func initialized(args ...string) (out, said string, err error) {
	c := initCommand()
	var stdout, stderr bytes.Buffer
	c.SetOut(&stdout)
	c.SetErr(&stderr)
	c.SetArgs(args)
	err = c.Execute()
	return stdout.String(), stderr.String(), err
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(examples + name)
	require.NoError(t, err)
	return string(text)
}

// sameTables tells whether a proposal means what a mapping means, however much of it is written down.
func sameTables(t *testing.T, want, got mapping.Config) {
	t.Helper()
	require.Equal(t, spelled(want), spelled(got))
}

func spelled(c mapping.Config) mapping.Config {
	for k, table := range map[mapping.Kind]*mapping.Table{
		mapping.User: &c.User, mapping.Post: &c.Post, mapping.Follow: &c.Follow, mapping.Comment: &c.Comment,
		mapping.Like: &c.Like, mapping.Block: &c.Block, mapping.Mute: &c.Mute,
		mapping.Member: &c.Member, mapping.Hide: &c.Hide,
	} {
		if table.Table == "" {
			*table = mapping.Table{}
			continue
		}
		columns := map[string]string{}
		for _, field := range k.Fields() {
			columns[field] = table.Column(field)
		}
		for _, optional := range k.Optional() {
			if column := table.Columns[optional]; column != "" {
				columns[optional] = column
			}
		}
		table.Columns = columns
		for _, list := range []*[]mapping.Condition{&table.OnlyWhen, &table.GoneWhen, &table.HiddenWhen} {
			if len(*list) == 0 {
				*list = nil
			}
		}
		if len(table.Constants) == 0 {
			table.Constants = nil
		}
		if len(table.Values) == 0 {
			table.Values = nil
		}
	}
	return c
}

func mapped(t *testing.T, name string) mapping.Config {
	t.Helper()
	cfg, err := config.Load(config.Sources{File: examples + name + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	return cfg.CDC.Tables
}

func TestInitProposesTheDefaultsForThePlainSchema(t *testing.T) {
	cfg, text, said := proposed(t, example(t, "schema.sql")+`;
		INSERT INTO users (id, name) VALUES (1, 'a'); INSERT INTO posts (id, author_id) VALUES (1, 1);
		INSERT INTO likes (user_id, post_id) VALUES (1, 1)`)
	want := mapping.Default()
	want.Post.HiddenWhen = want.Post.HiddenWhen[1:] // which status is shown, the catalog does not tell
	sameTables(t, want, cfg.CDC.Tables)
	require.Contains(t, said, "public.posts: CHECK: does status say which rows are a post?")
	require.Contains(t, text, "# public.posts: 1 rows; key id bigint; author by foreign key author_id -> public.users")
	require.Equal(t, "cdc", cfg.Engagement.Likes, "there are some")
	require.Equal(t, "events", cfg.Engagement.Comments)
}

func TestInitKnowsTheMannersOfOtherApps(t *testing.T) {
	t.Run("mastodon", func(t *testing.T) {
		cfg, _, said := proposed(t, example(t, "mastodon_like.sql"))
		want := mapped(t, "mastodon_like")
		want.Post.UnlistedWhen, want.Post.FollowersWhen, want.Post.DirectWhen = nil, nil, nil
		sameTables(t, want, cfg.CDC.Tables)
		require.Contains(t, said, "public.statuses: CHECK: does visibility say which rows are a post?")
		require.Contains(t, said, "public.accounts: CHECK: recommended to nobody unless discoverable")
	})
	t.Run("lemmy", func(t *testing.T) {
		cfg, text, said := proposed(t, example(t, "lemmy_like.sql"))
		sameTables(t, mapped(t, "lemmy_like"), cfg.CDC.Tables) // votes down are dislikes
		require.Contains(t, text, "# public.community_follower: 0 rows; person_id get the posts of community_id")
		require.Contains(t, said, "public.post: CHECK: posts whose members_only is true are for the members of their "+
			"community_id alone: is it so?")
	})
	t.Run("forem", func(t *testing.T) {
		cfg, text, said := proposed(t, example(t, "forem_like.sql"))
		want := mapped(t, "forem_like")
		want.Like.OnlyWhen = want.Like.OnlyWhen[:1]
		sameTables(t, want, cfg.CDC.Tables)
		require.Contains(t, said, "public.reactions: CHECK: does category say which rows are a like?")
		require.Contains(t, text, "CHECK: followable_type says of what table followable_id is; User is guessed")
	})
	t.Run("discourse", func(t *testing.T) {
		cfg, text, said := proposed(t, example(t, "discourse_like.sql"))
		want := mapped(t, "discourse_like")
		// What only the app knows: which posts are replies, and which actions and relations mean what.
		want.Post.OnlyWhen = nil
		want.Comment, want.Like = mapping.Table{}, mapping.Table{}
		want.Block, want.Mute = mapping.Table{}, mapping.Table{}
		sameTables(t, want, cfg.CDC.Tables)
		require.Contains(t, said, "forum.posts: CHECK: does post_number say which rows are a post?")
		require.Contains(t, text, "# no table looks like it\n    like:\n      table: \"\"\n")
	})
}

func TestInitProposesKeysOfEveryForm(t *testing.T) {
	t.Run("supabase", func(t *testing.T) {
		cfg, text, said := proposed(t, example(t, "supabase_like.sql"))
		want := mapped(t, "supabase_like")
		want.Post.UnlistedWhen, want.Post.FollowersWhen, want.Post.DirectWhen = nil, nil, nil
		want.Post.MutualsWhen = nil
		sameTables(t, want, cfg.CDC.Tables)
		require.Equal(t, core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys, Groups: core.UUIDKeys},
			cfg.CDC.Tables.Keys)
		require.Contains(t, text,
			"keys: # what the keys of users and posts are\n  users: uuid\n  posts: uuid\n  groups: uuid\n")
		require.Contains(t, said, "public.posts: CHECK: posts whose group_id is set are for the members of their group_id "+
			"alone: is it so?")
		require.Contains(t, said, "public.posts: CHECK: does visibility say which rows are a post?")
	})
	t.Run("prisma", func(t *testing.T) {
		cfg, _, said := proposed(t, example(t, "prisma_like.sql"))
		want := mapped(t, "prisma_like")
		want.Post.FollowersWhen, want.Post.MutualsWhen = nil, nil
		sameTables(t, want, cfg.CDC.Tables)
		require.Equal(t, core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys, Groups: core.IntegerKeys},
			cfg.CDC.Tables.Keys)
		require.Contains(t, said, "public.Post: CHECK: does visibility say which rows are a post?")
	})
	t.Run("mixed", func(t *testing.T) {
		cfg, text, _ := proposed(t, `CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
			CREATE TABLE posts (id varchar(26) PRIMARY KEY, author text, author_id bigint, created_at timestamptz NOT NULL);
			CREATE TABLE likes (user_id bigint, post_id varchar(26), created_at timestamptz NOT NULL, PRIMARY KEY (user_id, post_id))`)
		require.Equal(t, core.KeyForms{Users: core.IntegerKeys, Posts: core.TextKeys, Groups: core.IntegerKeys},
			cfg.CDC.Tables.Keys)
		require.Equal(t, "author_id", cfg.CDC.Tables.Post.Columns["author_id"], "a name is no key where those are integers")
		require.Equal(t, "post_id", cfg.CDC.Tables.Like.Columns["post_id"])
		require.Contains(t, text, "  users: integer\n  posts: text\n")
	})
}

func TestInitProposesGroupsWhereItIsKnownWhoIsInThem(t *testing.T) {
	const users = `CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
		CREATE TABLE clubs (id int PRIMARY KEY, owner_id bigint REFERENCES users);`
	const members = `CREATE TABLE club_members (club_id int REFERENCES clubs, user_id bigint REFERENCES users,
			left_at timestamptz, PRIMARY KEY (club_id, user_id));
		CREATE TABLE club_invitations (club_id int REFERENCES clubs, user_id bigint REFERENCES users,
			PRIMARY KEY (club_id, user_id));`
	posts := func(group string) string {
		return `CREATE TABLE posts (id bigint PRIMARY KEY, author_id bigint REFERENCES users,
			created_at timestamptz NOT NULL, ` + group + `);`
	}
	t.Run("some posts are in one", func(t *testing.T) {
		cfg, _, _ := proposed(t, users+members+posts("club_id int REFERENCES clubs"))
		require.Equal(t, []mapping.Condition{{Column: "club_id", Is: "set"}}, cfg.CDC.Tables.Post.MembersWhen)
		require.Equal(t, "club_id", cfg.CDC.Tables.Post.Columns["group_id"])
		require.Equal(t, "public.club_members", cfg.CDC.Tables.Member.Table)
		require.Equal(t, []mapping.Condition{{Column: "left_at", Is: "set"}}, cfg.CDC.Tables.Member.GoneWhen)
	})
	t.Run("all posts are, and nothing says which are closed", func(t *testing.T) {
		cfg, _, said := proposed(t, users+members+posts("club_id int NOT NULL REFERENCES clubs"))
		require.Empty(t, cfg.CDC.Tables.Post.MembersWhen)
		require.Equal(t, "club_id", cfg.CDC.Tables.Post.Columns["group_id"])
		require.Equal(t, "public.club_members", cfg.CDC.Tables.Member.Table, "who gets them")
		require.Contains(t, said, "public.posts: CHECK: everybody may see the posts of each club_id: are those of some")
	})
	t.Run("nobody knows who is in it", func(t *testing.T) {
		cfg, _, said := proposed(t, users+posts("club_id int REFERENCES clubs"))
		require.Empty(t, cfg.CDC.Tables.Post.MembersWhen)
		require.Contains(t, said, "public.posts: CHECK: club_id is a group, but no table says who is in it")
	})
}

func TestInitQuotesOddNames(t *testing.T) {
	cfg, text, _ := proposed(t, `CREATE SCHEMA "My App";
		CREATE TABLE "My App"."User" ("Id" bigint PRIMARY KEY, "createdAt" bigint NOT NULL);
		INSERT INTO "My App"."User" VALUES (1, 1767225600000);
		CREATE TABLE "My App"."Blog"" 'Post" ("Id" int PRIMARY KEY, "authorId" bigint REFERENCES "My App"."User", "createdAt" timestamptz, "isDeleted" bool)`)
	require.Equal(t, "My App.User", cfg.CDC.Tables.User.Table)
	require.Equal(t, `My App.Blog" 'Post`, cfg.CDC.Tables.Post.Table)
	require.Equal(t, "authorId", cfg.CDC.Tables.Post.Columns["author_id"])
	require.Equal(t, []mapping.Condition{{Column: "isDeleted", Is: "true"}}, cfg.CDC.Tables.Post.HiddenWhen)
	require.EqualValues(t, "ms", cfg.CDC.Tables.User.TimeUnit)
	require.Contains(t, text, "createdAt counts ms: a row has 1767225600000")
}

func TestInitRefusesWhatItCannotMap(t *testing.T) {
	file := filepath.Join(t.TempDir(), "feedrank.yaml")
	_, said, err := initialized("--connect", databaseOf(t, `
		CREATE TABLE users (id char(26) PRIMARY KEY, created_at timestamptz);
		CREATE TABLE posts (id bytea PRIMARY KEY, author_id char(26) REFERENCES users, body text, created_at timestamptz)`),
		"--out", file)
	require.ErrorContains(t, err, "no table can be mapped as posts")
	require.Contains(t, said, "public.users: not mapped as user: its key id is character(26): PostgreSQL fills it up with blanks")
	require.Contains(t, said, "public.posts: not mapped as post: its key id is bytea: keys are integers, uuid, text or varchar")
	require.NoFileExists(t, file)
	_, _, err = initialized("--connect", databaseOf(t, "SELECT 1"), "--out", file)
	require.ErrorContains(t, err, "there is no table in this database")
	_, _, err = initialized("--connect", "postgres://x:secret@127.0.0.1:1/app", "--out", file)
	require.ErrorContains(t, err, "cannot connect")
	require.NotContains(t, err.Error(), "secret")
	_, _, err = initialized("--connect", "", "--out", file)
	require.ErrorIs(t, err, ErrUsage)
}

func TestInitKeepsFilesAndPasswords(t *testing.T) {
	dsn := databaseOf(t, example(t, "schema.sql"))
	file := filepath.Join(t.TempDir(), "feedrank.yaml")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	_, _, err := initialized("--connect", dsn, "--out", file)
	require.ErrorContains(t, err, "is there already: add --force")
	require.Error(t, writePrivate(file, "theirs", false), "one that came meanwhile")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(kept))
	_, _, err = initialized("--connect", dsn, "--out", file, "--force")
	require.NoError(t, err)
	out, _, err := initialized("--connect", dsn, "--out", "-")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out, "# Proposed by feedrank init"))
	for _, dsn := range []string{
		"postgres://u:hunter2@h:5432/app?sslmode=require", "postgres://u@h/app?password=hunter2&sslmode=require",
		"host=h user=u password=hunter2 sslmode=require", `host=h password = 'hunter2 \' hunter2' user=u sslmode=require`,
	} {
		without := app.WithoutPassword(dsn)
		require.NotContains(t, without, "hunter2")
		require.Contains(t, without, "sslmode=require")
		require.NoError(t, postgres.CheckDSN(without))
	}
}
