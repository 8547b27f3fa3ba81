// Package tables compares the example app's tables with their copies in ClickHouse. It reads both
// databases directly and shares nothing with the consumer: every row of every table is one line of text.
package tables

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

const (
	micros = `(extract(epoch FROM created_at) * 1000000)::bigint`
	stamp  = `toString(toUnixTimestamp64Micro(created_at))`
)

// originals are the lines that PostgreSQL gives, by our table.
var originals = map[string]string{
	"users": `SELECT concat_ws('|', id, 0, 0, ` + micros + `) FROM users`,
	"posts": `SELECT concat_ws('|', id, author_id, (status <> 'published' OR deleted_at IS NOT NULL)::int, 0, ` + micros +
		`) FROM posts`,

	"follows":  `SELECT concat_ws('|', follower_id, followee_id, ` + micros + `) FROM follows`,
	"comments": `SELECT concat_ws('|', id, post_id, author_id, ` + micros + `) FROM comments`,
	"likes":    `SELECT concat_ws('|', user_id, post_id, ` + micros + `) FROM likes`,
	"blocks": `SELECT concat_ws('|', 'block', blocker_id, blocked_id, ` + micros + `) FROM blocks
		UNION ALL SELECT concat_ws('|', 'mute', muter_id, muted_id, ` + micros + `) FROM mutes`,
	"reactions_by_hour": `SELECT concat_ws('|', 'like', extract(epoch FROM date_trunc('hour', created_at AT TIME ZONE 'UTC'))::bigint, user_id, post_id) FROM likes
		UNION ALL SELECT concat_ws('|', 'comment', extract(epoch FROM date_trunc('hour', created_at AT TIME ZONE 'UTC'))::bigint, author_id, post_id) FROM comments`,
	"reactions_by_user": `SELECT concat_ws('|', 'like', user_id, post_id) FROM likes
		UNION ALL SELECT concat_ws('|', 'comment', author_id, post_id) FROM comments`,
	"viewer_edges": `SELECT concat_ws('|', follower_id, 'follow', followee_id) FROM follows
		UNION ALL SELECT concat_ws('|', blocker_id, 'block', blocked_id) FROM blocks
		UNION ALL SELECT concat_ws('|', blocked_id, 'blocked_by', blocker_id) FROM blocks
		UNION ALL SELECT concat_ws('|', muter_id, 'mute', muted_id) FROM mutes`,
}

// Copied are the queries of the same lines in ClickHouse, by our table, in a column called line.
var Copied = map[string]string{
	"users": `SELECT concat(toString(id), '|', toString(toUInt8(hidden)), '|', toString(toUInt8(private) + 2 * toUInt8(no_discovery)), '|', ` + stamp + `) AS line FROM users FINAL`,
	"posts": `SELECT concat(toString(id), '|', toString(author_id), '|', toString(toUInt8(hidden)), '|', toString(audience), '|', ` +
		stamp + `) AS line FROM posts FINAL`,
	"follows": `SELECT concat(toString(follower_id), '|', toString(followee_id), '|', ` + stamp +
		`) AS line FROM follows FINAL`,
	"comments": `SELECT concat(row_key, '|', toString(post_id), '|', toString(author_id), '|', ` + stamp +
		`) AS line FROM comments FINAL`,
	"likes": `SELECT concat(toString(user_id), '|', toString(post_id), '|', ` + stamp +
		`) AS line FROM likes FINAL`,
	"blocks": `SELECT concat(toString(kind), '|', toString(user_id), '|', toString(other_id), '|', ` +
		stamp + `) AS line FROM blocks FINAL`,
	"reactions_by_hour": `SELECT concat(toString(kind), '|', toString(toUnixTimestamp(hour)), '|', toString(user_id), '|', toString(post_id)) AS line FROM reactions_by_hour FINAL`,
	"reactions_by_user": `SELECT concat(toString(kind), '|', toString(user_id), '|', toString(post_id)) AS line FROM reactions_by_user FINAL`,
	"viewer_edges":      `SELECT concat(toString(viewer_id), '|', toString(kind), '|', toString(other_id)) AS line FROM viewer_edges FINAL`,
}

// Database is a connection to PostgreSQL, or a pool of them.
type Database interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// Differences tells what one database has and the other has not, empty if they are equal, and how many
// rows PostgreSQL has.
func Differences(ctx context.Context, pg Database, db *clickhouse.Client) (differences string, rows int, err error) {
	return compare(ctx, pg, db, originals, Copied)
}

// compare is Differences with queries of PostgreSQL, and of ClickHouse, by our table.
func compare(ctx context.Context, pg Database, db *clickhouse.Client, originals, copied map[string]string) (
	differences string, rows int, err error,
) {
	var out strings.Builder
	for _, table := range slices.Sorted(maps.Keys(originals)) {
		want, err := Originals(ctx, pg, originals[table])
		if err != nil {
			return "", 0, fmt.Errorf("rows of %s in PostgreSQL: %w", table, err)
		}
		got, err := Copies(ctx, db, copied[table])
		if err != nil {
			return "", 0, fmt.Errorf("rows of %s in ClickHouse: %w", table, err)
		}
		rows += len(want)
		if !slices.Equal(want, got) {
			_, _ = fmt.Fprintf(&out, "%s: %d rows in PostgreSQL, %d in ClickHouse; missing %s; too many %s\n",
				table, len(want), len(got), some(want, got), some(got, want))
		}
	}
	return out.String(), rows, nil
}

// Originals are the lines of a query of one column in PostgreSQL, sorted.
func Originals(ctx context.Context, pg Database, query string) ([]string, error) {
	rows, _ := pg.Query(ctx, query) // CollectRows returns its error
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	slices.Sort(lines)
	return lines, err
}

// Copies are the lines of a query in ClickHouse, whose column is called line, sorted.
func Copies(ctx context.Context, db *clickhouse.Client, query string) ([]string, error) {
	var (
		line  proto.ColStr
		lines []string
	)
	err := db.Read(ctx, clickhouse.Query{Name: "compare", Query: ch.Query{
		Body: query, Result: proto.Results{{Name: "line", Data: &line}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range line.Rows() {
				lines = append(lines, line.Row(i))
			}
			return nil
		},
	}})
	slices.Sort(lines)
	return lines, err
}

// some lists a few of those that the others lack.
func some(have, lack []string) string {
	in := map[string]int{}
	for _, line := range lack {
		in[line]++
	}
	var found []string
	for _, line := range have {
		if in[line]--; in[line] < 0 {
			found = append(found, line)
		}
	}
	return fmt.Sprint(len(found), " ", found[:min(5, len(found))])
}
