package cdc_test

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
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// The comparison reads both databases directly and shares nothing with the consumer: every row of
// every table as one line of text.
var originals = map[string]string{
	"users": `SELECT concat_ws('|', id, name, (extract(epoch FROM created_at) * 1000000)::bigint) FROM users`,
	"posts": `SELECT concat_ws('|', id, author_id, md5(body), (status <> 'published' OR deleted_at IS NOT NULL)::int,
	            (extract(epoch FROM created_at) * 1000000)::bigint) FROM posts`,
	"follows":  `SELECT concat_ws('|', follower_id, followee_id, (extract(epoch FROM created_at) * 1000000)::bigint) FROM follows`,
	"comments": `SELECT concat_ws('|', id, post_id, author_id, (extract(epoch FROM created_at) * 1000000)::bigint) FROM comments`,
	"likes":    `SELECT concat_ws('|', user_id, post_id, (extract(epoch FROM created_at) * 1000000)::bigint) FROM likes`,
	"blocks": `SELECT concat_ws('|', 'block', blocker_id, blocked_id, (extract(epoch FROM created_at) * 1000000)::bigint) FROM blocks
	           UNION ALL SELECT concat_ws('|', 'mute', muter_id, muted_id, (extract(epoch FROM created_at) * 1000000)::bigint) FROM mutes`,
	"viewer_edges": `SELECT concat_ws('|', follower_id, 'follow', followee_id) FROM follows
	           UNION ALL SELECT concat_ws('|', blocker_id, 'block', blocked_id) FROM blocks
	           UNION ALL SELECT concat_ws('|', blocked_id, 'blocked_by', blocker_id) FROM blocks
	           UNION ALL SELECT concat_ws('|', muter_id, 'mute', muted_id) FROM mutes`,
}

var copies = map[string]string{
	"users":        `SELECT concat(toString(id), '|', name, '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM users FINAL`,
	"posts":        `SELECT concat(toString(id), '|', toString(author_id), '|', lower(hex(MD5(body))), '|', toString(toUInt8(hidden)), '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM posts FINAL`,
	"follows":      `SELECT concat(toString(follower_id), '|', toString(followee_id), '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM follows FINAL`,
	"comments":     `SELECT concat(row_key, '|', toString(post_id), '|', toString(author_id), '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM comments FINAL`,
	"likes":        `SELECT concat(toString(user_id), '|', toString(post_id), '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM likes FINAL`,
	"blocks":       `SELECT concat(toString(kind), '|', toString(user_id), '|', toString(other_id), '|', toString(toUnixTimestamp64Micro(created_at))) AS line FROM blocks FINAL`,
	"viewer_edges": `SELECT concat(toString(viewer_id), '|', toString(kind), '|', toString(other_id)) AS line FROM viewer_edges FINAL`,
}

func original(ctx context.Context, db *pgxpool.Pool, query string) ([]string, error) {
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

func copied(ctx context.Context, db *clickhouse.Client, query string) ([]string, error) {
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

// differences lists what one database has and the other has not.
func differences(ctx context.Context, pg *pgxpool.Pool, db *clickhouse.Client) (string, int, error) {
	var out strings.Builder
	total := 0
	for _, table := range slices.Sorted(maps.Keys(originals)) {
		want, err := original(ctx, pg, originals[table])
		if err != nil {
			return "", 0, err
		}
		got, err := copied(ctx, db, copies[table])
		if err != nil {
			return "", 0, err
		}
		total += len(want)
		if slices.Equal(want, got) {
			continue
		}
		fmt.Fprintf(&out, "%s: %d rows in PostgreSQL, %d in ClickHouse; missing %s; too many %s\n",
			table, len(want), len(got), some(want, got), some(got, want))
	}
	return out.String(), total, nil
}

func some(have, lack []string) string {
	in := map[string]int{}
	for _, l := range lack {
		in[l]++
	}
	var found []string
	for _, l := range have {
		if in[l]--; in[l] < 0 {
			found = append(found, l)
		}
	}
	return fmt.Sprint(len(found), " ", found[:min(5, len(found))])
}

// requireEqualTables waits until every table equals its original, and fails if that does not come.
func requireEqualTables(t testing.TB, pg *pgxpool.Pool, db *clickhouse.Client) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		diff, rows, err := differences(ctx, pg, db)
		if err == nil && diff == "" {
			return rows
		}
		if err == nil {
			last = diff
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Failf(t, "the tables differ", "after %s: %s (%v)", patience, last, err)
		}
	}
}
