package graph_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/test/stack"
)

// book remembers what it was told, and refuses one key.
type book struct {
	texts   map[core.ID]string
	refused string
}

func (b *book) names() graph.Names { return graph.Names{Texts: b.Texts, Learn: b.Learn} }

func (b *book) Texts(_ context.Context, ids []core.ID) (map[core.ID]string, error) {
	found := map[core.ID]string{}
	for _, id := range ids {
		if text, ok := b.texts[id]; ok {
			found[id] = text
		}
	}
	return found, nil
}

func (b *book) Learn(key string) (core.ID, error) {
	if key == b.refused {
		return 0, errors.New("another key has its number")
	}
	id, err := core.ParseID(key)
	b.texts[id] = key
	return id, err
}

// of is the number of a key that was heard before.
func (b *book) of(t *testing.T, keys ...string) (ids []core.ID) {
	t.Helper()
	for _, key := range keys {
		id, err := b.Learn(key)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

// uuid is the n-th of some UUIDs.
func uuid(n int) string { return fmt.Sprintf("0192f0c1-8a4e-7cc3-98c4-%012x", n) }

// keyedSchema is an app whose users and posts have keys of some types.
const keyedSchema = `
DROP SCHEMA IF EXISTS keyed CASCADE; CREATE SCHEMA keyed;
CREATE TABLE keyed.users (id %[1]s PRIMARY KEY, banned boolean NOT NULL DEFAULT false, closed boolean NOT NULL DEFAULT false);
CREATE TABLE keyed.posts (id %[2]s PRIMARY KEY, author %[1]s, at timestamptz, draft boolean NOT NULL DEFAULT false);
CREATE INDEX ON keyed.posts (author, at DESC, id DESC);
CREATE TABLE keyed.follows (who %[1]s, whom %[1]s, PRIMARY KEY (who, whom));
CREATE TABLE keyed.blocks (who %[1]s, whom %[1]s, PRIMARY KEY (who, whom));`

// TestKeysOfEveryTypeAreAskedForAndRead is the fallback on tables whose keys are no integers.
func TestKeysOfEveryTypeAreAskedForAndRead(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	for name, one := range map[string]struct {
		users, posts string // types
		forms        core.KeyForms
		user, post   func(n int) string
	}{
		"UUIDs": {"uuid", "uuid", core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys}, uuid, uuid},
		"texts": {
			"text", "varchar(40)",
			core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys},
			func(n int) string { return fmt.Sprintf("u\\\"{%d},é", n) },
			func(n int) string { return fmt.Sprintf("ckv1x2y3z%04d", n) },
		},
		"integers and texts": {
			"bigint", "text",
			core.KeyForms{Users: core.IntegerKeys, Posts: core.TextKeys},
			func(n int) string { return fmt.Sprint(n - 10) }, // as system accounts have
			func(n int) string { return fmt.Sprintf("%020d", n) },
		},
		"texts that are integers": {
			"text", "numeric(30)",
			core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys},
			func(n int) string { return fmt.Sprint(n) },
			func(n int) string { return fmt.Sprintf("184467440737095516%02d", n) },
		},
		"large integers": {
			"bigint", "bigint",
			core.KeyForms{},
			func(n int) string { return fmt.Sprint(1<<62 + n) },
			func(n int) string { return fmt.Sprint(-1<<62 - n) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{texts: map[core.ID]string{}}
			quote := func(key string) string { return "'" + strings.ReplaceAll(key, "'", "''") + "'" }
			user := func(n int) string { return quote(one.user(n)) }
			statements := fmt.Sprintf(keyedSchema, one.users, one.posts)
			for n := range 6 {
				statements += fmt.Sprintf("; INSERT INTO keyed.users VALUES (%s, %t, %t)", user(n), n == 4, n == 5)
			}
			for n := range 12 { // of 1 to 3, in turn; all but the last four at one moment
				statements += fmt.Sprintf("; INSERT INTO keyed.posts VALUES (%s, %s, '2026-01-01'::timestamptz - interval '1 hour' * %d, %t)",
					quote(one.post(n)), user(1+n%3), max(0, n-7), n == 6)
			}
			statements += fmt.Sprintf("; INSERT INTO keyed.follows VALUES (%[1]s, %[2]s), (%[1]s, %[3]s), (%[1]s, %[4]s)", user(0), user(1),
				user(2), user(3))
			statements += fmt.Sprintf("; INSERT INTO keyed.blocks VALUES (%s, %s)", user(3), user(0))
			_, err := s.Postgres.Exec(ctx, statements)
			require.NoError(t, err)
			s.Postgres.Reset() // which remember what the columns of the last app were
			app := graph.NewPostgres(s.Postgres, graph.Tables{
				Posts: graph.PostTable{
					Table: "keyed.posts", ID: "id", Author: "author", CreatedAt: "at",
					Visible: `NOT "keyed"."posts"."draft"`,
				},
				Users: graph.UserTable{
					Table: "keyed.users", ID: "id", Absent: `"keyed"."users"."banned"`, Private: `"keyed"."users"."closed"`,
					NoDiscovery: `NOT "keyed"."users"."closed" AND NOT "keyed"."users"."banned"`,
				},
				Follows: graph.EdgeTable{Table: "keyed.follows", From: "who", To: "whom", When: "true"},
				Blocks:  graph.EdgeTable{Table: "keyed.blocks", From: "who", To: "whom"},
				Keys:    one.forms,
			}, 100, b.names())
			viewer := b.of(t, one.user(0))[0]

			edges, err := app.Edges(ctx, viewer)
			require.NoError(t, err)
			people := b.of(t, one.user(1), one.user(2), one.user(3))
			require.ElementsMatch(t, []reserve.Author{
				{ID: people[0], Relation: reserve.Follows},
				{ID: people[1], Relation: reserve.Follows},
				{ID: people[2], Relation: reserve.Follows},
				{ID: people[2], Relation: reserve.BlockedBy},
			}, edges)

			var want []core.ID // what 1 and 2 posted, without the draft
			for n := range 12 {
				if n%3 != 2 && n != 6 {
					want = append(want, b.of(t, one.post(n))...)
				}
			}
			var walked []core.Post
			created, last := int64(0), core.ID(0)
			for range 20 {
				page, err := app.Timeline(ctx, viewer, created, last, 2)
				require.NoError(t, err)
				walked = append(walked, page...)
				if len(page) < 2 {
					break
				}
				created, last = page[1].CreatedAt.UnixMicro(), page[1].ID
			}
			require.ElementsMatch(t, want, ids(walked), "each once, wherever a page ends")
			inOrder := func(a, b core.Post) int {
				if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 || !textual(one.forms) {
					return c
				}
				return int(max(-1, min(1, b.ID/2-a.ID/2)))
			}
			require.True(t, slices.IsSortedFunc(walked, inOrder), "as the hot set has them: by time, then by number")

			recent, err := app.Recent(ctx, viewer, time.Now(), 100)
			require.NoError(t, err)
			require.ElementsMatch(t, want, ids(recent))
			asked := b.of(t, one.post(0), one.post(2), one.post(6), one.post(99))
			some, err := app.Posts(ctx, append(asked, 1<<62+12345))
			require.NoError(t, err)
			require.ElementsMatch(t, b.of(t, one.post(0), one.post(2)), ids(some), "without what nobody can name")
			absent, err := app.Absent(ctx, 10)
			require.NoError(t, err)
			require.Equal(t, b.of(t, one.user(4)), absent)
			private, err := app.Private(ctx, 10)
			require.NoError(t, err)
			require.Equal(t, b.of(t, one.user(5)), private)
			optedOut, err := app.OptedOut(ctx, 10)
			require.NoError(t, err)
			require.ElementsMatch(t, b.of(t, one.user(0), one.user(1), one.user(2), one.user(3)), optedOut)
			_, err = app.Edges(ctx, 1<<62+54321)
			require.ErrorContains(t, err, "its key is not known")
		})
	}
}

func textual(f core.KeyForms) bool { return f.Users == core.TextKeys || f.Posts != "" }

// TestRowsThatCannotBeKnownDoNotEndATimeline has posts whose keys no copy has between those that are shown.
func TestRowsThatCannotBeKnownDoNotEndATimeline(t *testing.T) {
	s := stack.New(t)
	b := &book{texts: map[core.ID]string{}, refused: "p07"}
	statements := fmt.Sprintf(keyedSchema, "text", "text") + "; INSERT INTO keyed.follows VALUES ('ann', 'bob')"
	for n := range 10 {
		key := fmt.Sprintf("p%02d", n)
		if n == 8 || n == 9 {
			key += strings.Repeat("x", core.MaxKey)
		}
		statements += fmt.Sprintf("; INSERT INTO keyed.posts VALUES ('%s', 'bob', '2026-01-01'::timestamptz + interval '1 hour' * %d)", key, n)
	}
	_, err := s.Postgres.Exec(t.Context(), statements)
	require.NoError(t, err)
	s.Postgres.Reset()
	app := graph.NewPostgres(s.Postgres, graph.Tables{
		Posts:   graph.PostTable{Table: "keyed.posts", ID: "id", Author: "author", CreatedAt: "at"},
		Follows: graph.EdgeTable{Table: "keyed.follows", From: "who", To: "whom"},
		Keys:    core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys},
	}, 100, b.names())
	page, err := app.Timeline(t.Context(), b.of(t, "ann")[0], 0, 0, 4)
	require.NoError(t, err)
	require.Equal(t, b.of(t, "p06", "p05", "p04", "p03"), ids(page))
	page, err = app.Timeline(t.Context(), b.of(t, "ann")[0], page[3].CreatedAt.UnixMicro(), page[3].ID, 4)
	require.NoError(t, err)
	require.Equal(t, b.of(t, "p02", "p01", "p00"), ids(page))
}

// TestPostgreSQLNumbersKeysAsWeDo orders posts of one moment by the number that the query computes.
func TestPostgreSQLNumbersKeysAsWeDo(t *testing.T) {
	s := stack.New(t)
	b := &book{texts: map[core.ID]string{}}
	keys := []string{
		"0", "-0", "1", "-1", "01", "+1", "1e3", "-", "--1", "4611686018427387903", "4611686018427387904",
		"-4611686018427387903", "-4611686018427387904", "999999999999999999", "1000000000000000000",
		"9223372036854775808", "-99999999999999999999", "abc", "é🙂", uuid(1), "1\n", "1 ", "٣",
	}
	for n := range 200 {
		keys = append(keys, fmt.Sprintf("k%d", n))
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { _, err := core.ParseID(k); return err != nil })
	_, err := s.Postgres.Exec(t.Context(), fmt.Sprintf(keyedSchema, "text", "text")+"; INSERT INTO keyed.follows VALUES ('ann', 'bob')")
	require.NoError(t, err)
	_, err = s.Postgres.Exec(t.Context(), "INSERT INTO keyed.posts SELECT k, 'bob', '2026-01-01' FROM unnest($1::text[]) k", keys)
	require.NoError(t, err)
	app := graph.NewPostgres(s.Postgres, graph.Tables{
		Posts:   graph.PostTable{Table: "keyed.posts", ID: "id", Author: "author", CreatedAt: "at"},
		Follows: graph.EdgeTable{Table: "keyed.follows", From: "who", To: "whom"},
		Keys:    core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys},
	}, 100, b.names())
	viewer := b.of(t, "ann")[0]
	all, err := app.Timeline(t.Context(), viewer, 0, 0, 1000)
	require.NoError(t, err)
	want := b.of(t, keys...)
	slices.Sort(want)
	slices.Reverse(want)
	require.Equal(t, want, ids(all))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	for i := range want { // and begins after any of them
		next, err := app.Timeline(t.Context(), viewer, at, want[i], 1)
		require.NoError(t, err)
		require.Equal(t, want[i+1:min(i+2, len(want))], append([]core.ID{}, ids(next)...))
	}
}
