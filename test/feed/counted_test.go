package feed_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

// TestALikeThatComesTwoWaysCountsOnce has likes and comments arrive as events and as rows of the app's
// tables: three of each by event, two likes and four comments by row, one of which was deleted again, one
// repeated, one moved to another post.
func TestALikeThatComesTwoWaysCountsOnce(t *testing.T) {
	s := stack.New(t)
	write := func(format string, args ...any) {
		t.Helper()
		require.NoError(t, s.ClickHouse.Write(t.Context(),
			clickhouse.Query{Name: "test", Query: ch.Query{Body: fmt.Sprintf(format, args...)}}))
	}
	hour := time.Now().UTC().Truncate(time.Hour)
	write("INSERT INTO posts (id, author_id, hidden, created_at, version, is_deleted) VALUES (1, 10, false, now64(6), 1, 0), (2, 7, false, now64(6), 1, 0)")
	write("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes, comments, shares) VALUES (%d, 1, 0, 10, 9, 3, 3, 1)", hour.Unix())
	write("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, views, likes, comments, shares) VALUES (7, 10, today(), 0, 5, 3, 3, 1)")
	row := func(table, user, key string, post, version, deleted int) {
		write("INSERT INTO %s (row_key, %s, post_id, created_at, version, is_deleted) VALUES ('%s', 7, %d, now64(6), %d, %d)", table, user, key, post, version, deleted)
	}
	row("likes", "user_id", "a", 1, 1, 0)
	row("likes", "user_id", "a", 1, 1, 0) // read again
	row("likes", "user_id", "b", 1, 2, 0)
	row("likes", "user_id", "c", 1, 3, 0)
	row("likes", "user_id", "c", 1, 4, 1) // taken back
	row("likes", "user_id", "own", 2, 5, 0)
	vote := func(key string, value, version, deleted int) {
		write("INSERT INTO likes (row_key, user_id, post_id, created_at, value, version, is_deleted) VALUES ('%s', 7, 1, now64(6), %d, %d, %d)", key, value, version, deleted)
	}
	vote("down", -1, 1, 0)
	vote("turned", 1, 1, 0)
	vote("turned", -1, 2, 0) // a vote is a state
	vote("angry", -3, 1, 0)
	vote("calm", -3, 1, 0)
	vote("calm", -3, 2, 1)
	vote("love", 2, 1, 0)
	vote("neither", 0, 1, 0)
	for i, key := range []string{"d", "e", "f", "g", "h"} {
		row("comments", "author_id", key, 1, 1+i, 0)
	}
	row("comments", "author_id", "h", 2, 9, 0) // moved to a post of one's own

	for _, c := range []struct {
		from            core.CountedFrom
		likes, comments int64
		dislikes        int64
		people          int64 // who liked it
	}{
		{core.CountedFrom{Likes: "events", Comments: "events"}, 3, 3, 0, 3},
		{core.CountedFrom{Likes: "cdc", Comments: "events"}, 4, 3, 5, 3},
		{core.CountedFrom{Likes: "events", Comments: "cdc"}, 3, 4, 0, 4},
		{core.CountedFrom{Likes: "cdc", Comments: "cdc"}, 4, 4, 5, 4},
	} {
		t.Run(c.from.Likes+" and "+c.from.Comments, func(t *testing.T) {
			want := core.Engagement{Exposures: 9, Likes: c.likes, Comments: c.comments, Shares: 1, Dislikes: c.dislikes}
			source := hot.NewClickHouse(s.ClickHouse, c.from)
			got := map[core.ID]core.Engagement{}
			add := func(id core.ID, age hot.Age, e core.Engagement) {
				require.Equal(t, hot.Current, age)
				got[id] = e
			}
			require.NoError(t, source.Engagement(context.Background(), hour.Add(-24*time.Hour), hour, add))
			require.Equal(t, want, got[1], "of all posts")
			clear(got)
			require.NoError(t, source.EngagementOf(context.Background(), []core.ID{1}, hour.Add(-24*time.Hour), hour,
				add))
			require.Equal(t, want, got[1], "of some posts")

			cfg := rank.DefaultConfig()
			cfg.Engagement.MinPeople, cfg.Engagement.Dislike = c.people, 0.5
			week, err := source.Since(context.Background(), hour.Add(-7*24*time.Hour), time.Now(), &cfg, 10)
			require.NoError(t, err)
			require.NotEmpty(t, week)
			require.Equal(t, want, week[0].Post.Day(), "of the week")
			require.InDelta(t, cfg.WeeklyTrend(want, week[0].Post.Age(time.Now())), week[0].Value, 1e-3)
			for what, few := range map[string]rank.Engagement{
				"people":         {MinPeople: 1 + c.people},
				"a share of all": {PeopleShare: 7},
			} {
				few.Like, few.Comment, few.PriorExposures = 1, 2, 20
				week, err := source.Since(context.Background(), hour.Add(-7*24*time.Hour), time.Now(),
					&rank.Config{Engagement: few}, 10)
				require.NoError(t, err)
				require.Empty(t, week, "too few %s", what)
			}

			counts := graph.NewClickHouse(s.ClickHouse, c.from, core.SystemClock{}, 100, 100)
			acts, err := counts.Affinity(context.Background(), 7,
				cfg.Affinity)
			require.NoError(t, err)
			require.Len(t, acts.Authors, 1, "what one does with one's own posts says nothing")
			weighted := cfg.Affinity.Weighted(rank.AuthorCounts{
				Views: 5, Likes: c.likes, Comments: c.comments,
				Shares: 1, Dislikes: c.dislikes,
			})
			require.InDelta(t, weighted, float64(acts.Authors[0].Interactions), 1e-5, "with an author")
			require.EqualValues(t, 5, acts.ViewedLately)

			// Other features ask the same of the same rows.
			ask := func(query, column string, params map[string]any, result proto.ColResult) {
				name, params := c.from.Query(query, params)
				require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: name, Query: ch.Query{
					Body: "SELECT " + column + " AS n FROM (" + strings.TrimRight(sql.ClickHouse(name), "; \n") +
						")",
					Parameters: clickhouse.Params(params), Result: proto.Results{{Name: "n", Data: result}},
				}}))
			}
			var interactions proto.ColFloat64
			ask("trending_top", "interactions", map[string]any{
				"since": hour.Add(-time.Hour).Unix(), "limit": 1, "like": "1", "comment": "100", "share": "0", "a": "0",
				"dislike": "0.1",
				"b":       "1",
				"rate":    1, "min_people": 0, "people_share": 0, "day": hour.Add(-time.Hour).Unix(), "days": 1,
			}, &interactions)
			require.InDelta(t, c.likes+100*c.comments, interactions.Row(0), 1e-6, "trending")
			var done proto.ColInt64
			ask("suggest_circles", "weight", map[string]any{"people": "[7]", "per_seed": 5}, &done)
			require.Equal(t, c.likes-c.dislikes+2*c.comments+3, done.Row(0), "suggestions")
			var people proto.ColUInt64
			ask("suggest_popular", "people", map[string]any{"days": 7, "limit": 5}, &people)
			require.Equal(t, proto.ColUInt64{1}, people, "popular people")
			if c.from.Likes == "cdc" || c.from.Comments == "cdc" { // by event nobody is in the raw table here
				var users proto.ColUInt64
				ask("trending_users", "users", map[string]any{"ids": "[1,2]", "since": hour.Unix()}, &users)
				require.Equal(t, proto.ColUInt64{1}, users, "the author of a post does not count for it")
			}
		})
	}
}
