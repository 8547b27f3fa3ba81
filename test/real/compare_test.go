//go:build real

package real_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// pair asks for the same rows in both databases, each row as one line of text.
type pair struct{ original, copied string }

func pairs() map[string]pair {
	const (
		micros = `(extract(epoch FROM created_at) * 1000000)::bigint`
		stamp  = `toString(toUnixTimestamp64Micro(created_at))`
	)
	return map[string]pair{
		"users": {
			`SELECT concat_ws('|', id, name, ` + micros + `) FROM users`,
			`SELECT concat(toString(id), '|', name, '|', ` + stamp + `) AS line FROM users FINAL`,
		},
		"posts": {
			`SELECT concat_ws('|', id, author_id, md5(body), (status <> 'published' OR deleted_at IS NOT NULL)::int, ` + micros + `) FROM posts`,
			`SELECT concat(toString(id), '|', toString(author_id), '|', lower(hex(MD5(body))), '|', toString(toUInt8(hidden)), '|', ` + stamp + `) AS line FROM posts FINAL`,
		},
		"follows": {
			`SELECT concat_ws('|', follower_id, followee_id, ` + micros + `) FROM follows`,
			`SELECT concat(toString(follower_id), '|', toString(followee_id), '|', ` + stamp + `) AS line FROM follows FINAL`,
		},
		"comments": {
			`SELECT concat_ws('|', id, post_id, author_id, ` + micros + `) FROM comments`,
			`SELECT concat(row_key, '|', toString(post_id), '|', toString(author_id), '|', ` + stamp + `) AS line FROM comments FINAL`,
		},
		"likes": {
			`SELECT concat_ws('|', user_id, post_id, ` + micros + `) FROM likes`,
			`SELECT concat(toString(user_id), '|', toString(post_id), '|', ` + stamp + `) AS line FROM likes FINAL`,
		},
		"blocks": {
			`SELECT concat_ws('|', 'block', blocker_id, blocked_id, ` + micros + `) FROM blocks
			UNION ALL SELECT concat_ws('|', 'mute', muter_id, muted_id, ` + micros + `) FROM mutes`,
			`SELECT concat(toString(kind), '|', toString(user_id), '|', toString(other_id), '|', ` + stamp + `) AS line FROM blocks FINAL`,
		},
		"viewer_edges": {
			`SELECT concat_ws('|', follower_id, 'follow', followee_id) FROM follows
			UNION ALL SELECT concat_ws('|', blocker_id, 'block', blocked_id) FROM blocks
			UNION ALL SELECT concat_ws('|', blocked_id, 'blocked_by', blocker_id) FROM blocks
			UNION ALL SELECT concat_ws('|', muter_id, 'mute', muted_id) FROM mutes`,
			`SELECT concat(toString(viewer_id), '|', toString(kind), '|', toString(other_id)) AS line FROM viewer_edges FINAL`,
		},
	}
}

// requireEqualTables waits until every copy equals its original, row by row, and returns how many rows
// that are.
func requireEqualTables(t *testing.T, pg *pgx.Conn, db *clickhouse.Client) int {
	t.Helper()
	var total int
	var last string
	ok := eventually(2*time.Minute, 250*time.Millisecond, func() bool {
		diff, rows, err := differences(t.Context(), pg, db)
		last, total = fmt.Sprint(diff, " ", err), rows
		return err == nil && diff == ""
	})
	require.True(t, ok, last)
	return total
}

func differences(ctx context.Context, pg *pgx.Conn, db *clickhouse.Client) (diff string, total int, err error) {
	all := pairs()
	for _, table := range slices.Sorted(maps.Keys(all)) {
		rows, _ := pg.Query(ctx, all[table].original) // CollectRows returns its error
		want, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return "", 0, err
		}
		got, err := lines(ctx, db, all[table].copied)
		if err != nil {
			return "", 0, err
		}
		slices.Sort(want)
		slices.Sort(got)
		total += len(want)
		if !slices.Equal(want, got) {
			diff += fmt.Sprintf("%s: %d rows in PostgreSQL, %d in ClickHouse; missing %s; too many %s\n",
				table, len(want), len(got), some(want, got), some(got, want))
		}
	}
	return diff, total, nil
}

// lines reads the column called line.
func lines(ctx context.Context, db *clickhouse.Client, query string) ([]string, error) {
	var line proto.ColStr
	var all []string
	err := db.Read(ctx, clickhouse.Query{Name: "compare", Query: ch.Query{
		Body: query, Result: proto.Results{{Name: "line", Data: &line}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range line.Rows() {
				all = append(all, strings.Clone(line.Row(i)))
			}
			return nil
		},
	}})
	return all, err
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

// eventually asks now and then, in this goroutine.
func eventually(limit, every time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(every)
	}
	return true
}
