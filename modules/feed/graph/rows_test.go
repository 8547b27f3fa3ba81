package graph

import (
	"context"
	"fmt"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// TestFewRowsMeanWhatTheWholeQuestionSays writes rows at random, and asks for them in both ways.
func TestFewRowsMeanWhatTheWholeQuestionSays(t *testing.T) {
	s := stack.New(t)
	c := NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, 1000, 6)
	ctx, viewer := context.Background(), core.ID(0)
	write := func(statement string) {
		require.NoError(t, s.ClickHouse.Write(ctx, clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}),
			statement)
	}
	write("SYSTEM STOP MERGES viewer_edges")
	write("SYSTEM STOP MERGES user_author_90d")
	kinds := []string{"follow", "block", "blocked_by", "mute", "member", "hide"}
	rapid.Check(t, func(t *rapid.T) {
		viewer++
		version := 0 // no two rows have the same
		small := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		for range 1 + small("edge parts", 2) {
			values := ""
			for i := range 1 + small("edges", 12) {
				values += fmt.Sprintf("(%d, '%s', %d, '%d', %d, %d, %d, %d)", viewer, kinds[small("kind", 5)],
					1+small("other", 3), small("row", 1), i, 1000*small("version", 9)+version, small("deleted", 1),
					1000*small("until", 2))
				version++
			}
			write("INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted, until) VALUES " + values)
		}
		for range 1 + small("act parts", 2) {
			values := ""
			for range 1 + small("interactions", 12) {
				ago := rapid.SampledFrom([]int{0, 1, 2, 29, 30, 31, 90, 91}).Draw(t, "days")
				values += fmt.Sprintf("(%d, %d, today() - %d, %d, %d, %d, %d, %d, %d, %d)", viewer,
					1+small("author", 9), ago, small("partition", 1),
					small("views", 5), small("clicks", 3), small("likes", 2), small("comments", 1), small("shares", 1),
					small("hides", 1))
			}
			write("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, views, clicks, likes, comments, shares, hides) VALUES " + values)
		}

		edges, ends, all, err := c.fewEdges(ctx, viewer)
		require.NoError(t, err)
		require.True(t, all)
		asked, askedEnds, err := c.manyEdges(ctx, viewer)
		require.NoError(t, err)
		require.ElementsMatch(t, asked, edges)
		require.ElementsMatch(t, askedEnds, ends)

		weights := rank.DefaultConfig().Affinity
		interactions, all, err := c.fewInteractions(ctx, viewer, weights)
		require.NoError(t, err)
		require.True(t, all)
		wanted, err := c.manyInteractions(ctx, viewer, weights)
		require.NoError(t, err)
		require.Equal(t, wanted.Authors, interactions.Authors, "in the same order")
		require.LessOrEqual(t, wanted.HiddenLately, interactions.HiddenLately,
			"not of the authors within the limit alone")
		require.LessOrEqual(t, wanted.ViewedLately, interactions.ViewedLately)
		if len(interactions.Authors) < 6 {
			wanted.Where = interactions.Where
			require.Equal(t, wanted, interactions)
		}
		where, err := c.where(ctx, viewer)
		require.NoError(t, err)
		require.ElementsMatch(t, where.days, interactions.Where.days)
		require.ElementsMatch(t, where.partitions, interactions.Where.partitions)
	})
}

func TestWhoHasManyRowsIsAskedForWithTheWholeQuestion(t *testing.T) {
	s := stack.New(t)
	c := NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, 10, 5)
	write := func(statement string) {
		require.NoError(t, s.ClickHouse.Write(t.Context(),
			clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}), statement)
	}
	write("INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) SELECT 1, if(number = 0, 'block', 'follow'), number, '', number, 1, 0 FROM numbers(11)")
	write(fmt.Sprintf("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, views) SELECT 1, number, today(), 0, number FROM numbers(%d)", maxActRows+1))

	edges, _, all, err := c.fewEdges(t.Context(), 1)
	require.NoError(t, err)
	require.False(t, all)
	require.Empty(t, edges)
	edges, _, err = c.Edges(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, edges, 10, "the oldest follow is beyond the bound")
	require.Contains(t, edges, reserve.Author{Relation: reserve.Blocks}, "who is blocked never is")

	_, all, err = c.fewInteractions(t.Context(), 1, rank.DefaultConfig().Affinity)
	require.NoError(t, err)
	require.False(t, all)
	interactions, err := c.Affinity(t.Context(), 1, rank.DefaultConfig().Affinity)
	require.NoError(t, err)
	require.Len(t, interactions.Authors, 5)
	require.EqualValues(t, maxActRows, interactions.Authors[0].ID)
}
