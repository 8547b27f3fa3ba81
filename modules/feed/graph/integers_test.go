package graph

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// TestIntegerAppsAreAskedAsTheQueriesStand holds the queries of apps whose keys are integers to the files, letter for
// letter, and what they are asked with to numbers: so their plans are those that were measured.
func TestIntegerAppsAreAskedAsTheQueriesStand(t *testing.T) {
	tables := DefaultTables()
	tables.Posts.Audience, tables.Users.Absent, tables.Hides = exampleAudience, exampleAbsent, exampleHides
	for _, forms := range []core.KeyForms{{}, {Users: core.IntegerKeys, Posts: core.IntegerKeys}} {
		tables.Keys = forms
		for _, name := range []string{
			"feed_viewer_edges", "feed_timeline", "feed_recent_posts", "feed_posts", "feed_absent",
		} {
			file := strings.ReplaceAll(sql.Postgres(name), `"posts"."created_at" AS created_at`,
				`"posts"."created_at"::timestamptz AS created_at`)
			require.Equal(t, file, tables.query(name), name)
		}
	}
	r := &recorder{}
	app := NewPostgres(r, tables, 100, Names{}) // nobody is asked for names
	_, err := app.Edges(t.Context(), 7)
	require.ErrorIs(t, err, errRecorded)
	_, err = app.Timeline(t.Context(), -7, 1000, 8, 10)
	require.ErrorIs(t, err, errRecorded)
	_, err = app.Timeline(t.Context(), 7, 0, 0, 10)
	require.ErrorIs(t, err, errRecorded)
	_, err = app.Recent(t.Context(), 7, time.Now(), 10)
	require.ErrorIs(t, err, errRecorded)
	_, err = app.Posts(t.Context(), []core.ID{1, -2, 3})
	require.ErrorIs(t, err, errRecorded)
	require.Equal(t, []any{int64(7), int64(-7), int64(7), int64(7), []int64{1, -2, 3}}, r.keys)

	tables.Keys = core.KeyForms{Users: core.IntegerKeys, Posts: core.TextKeys}
	require.NotEqual(t, sql.Postgres("feed_viewer_edges"), tables.query("feed_viewer_edges"),
		"else the test shows nothing")
}

// recorder keeps the first argument of each query.
type recorder struct{ keys []any }

var errRecorded = errors.New("recorded")

func (r *recorder) Query(_ context.Context, _ string, args ...any) (pgx.Rows, error) {
	r.keys = append(r.keys, args[0])
	return nil, errRecorded
}
