package graph_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

func write(t *testing.T, s *stack.Stack, statement string, args ...any) {
	t.Helper()
	body := fmt.Sprintf(statement, args...)
	require.NoError(t, s.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: body}}), body)
}

// TestMarksAreFoundInAFewGranules holds the look-up of what a viewer hid and saw to the parts and granules
// of that viewer's own days and partition.
func TestMarksAreFoundInAFewGranules(t *testing.T) {
	s := stack.New(t)
	for partition := range 4 {
		write(t, s, "INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (%d, 7, 'test', now64(3))",
			partition<<32|1)
		for _, day := range []int{1, 3, 5, 9} { // 20,000 people did something on each of these days
			write(t, s, "INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
				"SELECT %[1]d, number * 4 + %[1]d, generateUUIDv4(), number + 1, 5, 'view', now64(3) - INTERVAL %[2]d DAY, now64(3) - INTERVAL %[2]d DAY, 0, number, %[3]d, 7 FROM numbers(5000)",
				partition, day, partition<<32|1)
		}
	}
	event := func(offset, post int, action string, ago time.Duration) {
		at := time.Now().Add(-ago).UnixMilli()
		write(t, s, "INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
			"VALUES (1, 4001, generateUUIDv4(), %d, 5, '%s', %d, %d, 0, %d, %d, 7)", post, action, at, at, offset,
			1<<32|1)
	}
	event(90001, 71, "hide", 3*24*time.Hour)
	event(90002, 72, "not_interested", time.Hour)
	event(90003, 73, "impression", time.Hour)
	event(90004, 74, "view", 30*time.Hour)
	event(90005, 75, "like", time.Hour)

	look := func(g *graph.ClickHouse, where graph.Where) {
		hidden, seen, err := g.Marks(t.Context(), 4001, where, time.Now().Add(-24*time.Hour))
		require.NoError(t, err)
		require.Len(t, hidden, 2)
		require.EqualValues(t, 71, hidden[0].Post)
		require.EqualValues(t, 72, hidden[1].Post, "the latest comes last")
		require.Len(t, seen, 1)
		require.EqualValues(t, 73, seen[0].Post)
	}
	weights := rank.DefaultConfig().Affinity
	g := graph.NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, 100, 100)
	interactions, err := g.Affinity(t.Context(), 4001, weights)
	require.NoError(t, err)
	require.NotEqual(t, graph.Where{}, interactions.Where)
	look(g, interactions.Where)
	fromCDC := graph.NewClickHouse(s.ClickHouse, core.CountedFrom{Likes: "cdc", Comments: "cdc"}, core.SystemClock{},
		100, 100)
	interactions, err = fromCDC.Affinity(t.Context(), 4001, weights)
	require.NoError(t, err)
	require.Equal(t, graph.Where{}, interactions.Where, "it was read in whole")
	look(fromCDC, interactions.Where)
	hidden, seen, err := g.Marks(t.Context(), 1<<40, graph.Where{}, time.Now().Add(-24*time.Hour))
	require.NoError(t, err)
	require.Empty(t, append(hidden, seen...), "of who did nothing")

	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format("20060102") }
	var plan proto.ColStr
	text := ""
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "EXPLAIN indexes = 1 " + sql.ClickHouse("feed_viewer_marks"),
		Parameters: clickhouse.Params(map[string]any{
			"viewer": 4001, "days": []string{day(3), day(0), day(1)}, "partitions": []int{1}, "since": 0, "limit": 10,
		}),
		Result: proto.Results{{Name: "explain", Data: &plan}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range plan.Rows() {
				text += plan.Row(i) + "\n"
			}
			return nil
		},
	}}))
	require.Contains(t, text, "and((user_id in [4001, 4001]), (kafka_partition in 1-element set))")
	found := granulesRead.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, found, text)
	last := found[len(found)-1] // after all indexes
	read, err := strconv.Atoi(last[1])
	require.NoError(t, err)
	require.LessOrEqual(t, read, 7, "%s granules: one for each part of the viewer's days and partition\n%s", last[0],
		text)
	require.NotContains(t, text, "Lazily", "planning that takes longer than it saves")
}
