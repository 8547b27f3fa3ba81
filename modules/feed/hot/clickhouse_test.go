package hot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func write(t testing.TB, s *stack.Stack, statement string) {
	t.Helper()
	require.NoError(t, s.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

func insertPosts(t testing.TB, s *stack.Stack, rows ...string) {
	t.Helper()
	write(t, s, "INSERT INTO posts (id, author_id, hidden, created_at, version, is_deleted) VALUES "+strings.Join(rows,
		","))
}

func row(id, author int, created time.Time, version int, more ...string) string {
	hidden, gone := "false", "0"
	for _, m := range more {
		switch m {
		case "hidden":
			hidden = "true"
		case "deleted":
			gone = "1"
		}
	}
	return fmt.Sprintf("(%d, %d, %s, '%s', %d, %s)", id, author, hidden,
		created.UTC().Format("2006-01-02 15:04:05.000000"), version, gone)
}

func TestTheSetLoadsThePostsThatStandAndTheirEngagement(t *testing.T) {
	s := stack.New(t)
	noon := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Minute) // the counts of long ago are dropped
	recent, old := noon.Add(-time.Hour), noon.Add(-100*time.Hour)
	insertPosts(t, s, row(1, 10, recent, 1), row(2, 10, recent, 1), row(3, 11, recent, 1), row(4, 12, old, 1),
		row(5, 12, old.Add(-time.Hour), 1))
	insertPosts(t, s, row(2, 0, time.Unix(0, 0), 2, "deleted")) // a delete tells the key alone
	insertPosts(t, s, row(3, 11, recent, 2, "hidden"))
	hour := noon.Truncate(time.Hour)
	metric := func(at time.Time, post, likes int) string {
		return fmt.Sprintf("(%d, %d, 0, 10, 5, %d)", at.Unix(), post, likes)
	}
	write(t, s, "INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes) VALUES "+strings.Join([]string{
		metric(hour, 1, 1), metric(hour.Add(-time.Hour), 1, 2), metric(hour.Add(-5*time.Hour), 1, 4),
		metric(hour.Add(-23*time.Hour), 1, 8),
		metric(hour.Add(-24*time.Hour), 1, 100), metric(hour, 99, 7),
	}, ","))

	cfg := hot.DefaultConfig()
	cfg.OlderPosts = 1
	clock := &manualClock{noon}
	set := newSet(cfg, hot.NewClickHouse(s.ClickHouse, core.CountedFromEvents()), clock)
	ctx := context.Background()
	require.NoError(t, set.Load(ctx))
	require.True(t, holds(set, 1))
	require.False(t, holds(set, 2), "deleted")
	require.False(t, holds(set, 3), "hidden")
	require.True(t, holds(set, 4), "the newest of the older ones")
	require.False(t, holds(set, 5))
	engagement := func() core.Engagement {
		v := set.View()
		defer v.Close()
		p, _ := v.Post(1)
		return p.Day()
	}
	require.Equal(t, core.Engagement{Exposures: 20, Likes: 15}, engagement())

	write(t, s, "INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, likes) VALUES ("+fmt.Sprint(hour.Unix())+", 1, 3, 10, 50)")
	require.NoError(t, set.Refresh(ctx, false))
	require.Equal(t, int64(65), engagement().Likes)
	require.Equal(t, core.ID(1), set.Lists().Popular[0].Post.ID)

	clock.now = noon.Add(time.Hour) // the window moves on: 23 hours ago is out
	require.NoError(t, set.Refresh(ctx, false))
	require.Equal(t, int64(57), engagement().Likes)
	v := set.View()
	p, _ := v.Post(1)
	require.Equal(t, int64(25), v.Done(&p, true, clock.now).Likes, "half of the hour before")
	v.Close()
}

func TestOnlyPostsThatWereWrittenLatelyAreReadAndAllOfThem(t *testing.T) {
	s := stack.New(t)
	hour := time.Now().UTC().Truncate(time.Hour)
	metric := func(at time.Time, post, partition, likes int) {
		write(t, s, fmt.Sprintf("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, likes) VALUES (%d, %d, %d, 10, %d)", at.Unix(), post, partition, likes))
	}
	reaction := func(post int) {
		write(t, s, fmt.Sprintf("INSERT INTO reactions_by_hour (kind, hour, row_key, post_id, version) VALUES ('like', %d, '7/%d', %d, 1)", hour.Unix(), post, post))
	}
	metric(hour, 1, 0, 1)
	metric(hour, 2, 0, 2)
	metric(hour.Add(-time.Hour), 1, 0, 4)
	metric(hour.Add(-2*time.Hour), 1, 0, 8)
	metric(hour, 3, 0, 16)
	reaction(2)
	reaction(3)
	for table, column := range map[string]string{
		"post_metrics_1h":   "SimpleAggregateFunction(max, DateTime('UTC'))",
		"reactions_by_hour": "DateTime('UTC')",
	} {
		alter := func(how string) { write(t, s, "ALTER TABLE "+table+" "+how+" SETTINGS mutations_sync = 1") }
		alter("MODIFY COLUMN written_at REMOVE MATERIALIZED") // nobody can write it otherwise
		alter("UPDATE written_at = now() - 3600 WHERE 1")
		alter("MODIFY COLUMN written_at " + column + " MATERIALIZED now('UTC')")
	}
	metric(hour, 1, 1, 32)
	reaction(4)
	read := func(from core.CountedFrom, since time.Time, within time.Duration) map[string]int64 {
		likes := map[string]int64{}
		require.NoError(t, hot.NewClickHouse(s.ClickHouse, from).EngagementLately(t.Context(), since, hour, within,
			func(id core.ID, age hot.Age, e core.Engagement) {
				likes[fmt.Sprint(id, " of age ", age)] += e.Likes
			}))
		return likes
	}
	cdc := core.CountedFromEvents()
	cdc.Likes = "cdc"
	for range 2 {
		require.Equal(t, map[string]int64{"1 of age 2": 33}, read(core.CountedFromEvents(), hour, 30*time.Minute))
		require.Equal(t, map[string]int64{"1 of age 2": 33, "1 of age 1": 4},
			read(core.CountedFromEvents(), hour.Add(-time.Hour), 30*time.Minute))
		require.Equal(t, map[string]int64{"1 of age 2": 33, "2 of age 2": 2, "3 of age 2": 16},
			read(core.CountedFromEvents(), hour, 90*time.Minute))
		require.Equal(t, map[string]int64{"1 of age 2": 0, "4 of age 2": 1}, read(cdc, hour, 30*time.Minute))
		write(t, s, "OPTIMIZE TABLE post_metrics_1h FINAL") // a row that was put together is as late as its latest part
	}
}

func TestARunningSetFollowsAndStops(t *testing.T) {
	s := stack.New(t)
	cfg := hot.DefaultConfig()
	cfg.RefreshEvery, cfg.RankEvery = 50*time.Millisecond, 100*time.Millisecond
	now := time.Now().UTC()
	insertPosts(t, s, row(1, 10, now.Add(-time.Minute), 1))
	set := newSet(cfg, hot.NewClickHouse(s.ClickHouse, core.CountedFromEvents()), core.SystemClock{})
	require.NoError(t, set.Start(context.Background()))
	wait.Until(t, set.Loaded)
	write(t, s, fmt.Sprintf("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes) VALUES (%d, 1, 0, 10, 9, 9)", now.Truncate(time.Hour).Unix()))
	wait.Until(t, func() bool {
		day := set.Lists().Day
		return len(day) == 1 && day[0].Post.Day().Likes == 9
	})
	require.NoError(t, set.Stop(context.Background()))
}
