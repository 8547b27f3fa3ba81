package trending_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/trending"
	"github.com/feedrank/feedrank/test/stack"
)

type world struct {
	*stack.Stack
	t     testing.TB
	cfg   trending.Config
	redis *redis.Client
	clock *movableClock
	job   *trending.Job
	lists *trending.Published
	rows  int

	weights trending.Weights
}

type movableClock struct{ now time.Time }

func (c *movableClock) Now() time.Time { return c.now }

func newWorld(t testing.TB, change ...func(*trending.Config)) *world {
	t.Helper()
	w := &world{Stack: stack.New(t), t: t, cfg: trending.DefaultConfig(), clock: &movableClock{now: time.Now().UTC()}}
	w.weights = trending.Weights{
		Like: 1, Comment: 2, Share: 3, PriorInteractions: 1, PriorExposures: 20, MaxRate: 0.25,
		MinPeople: 3, Decay: 0.05, WeeklyDecay: 0.015,
	}
	for _, f := range change {
		f(&w.cfg)
	}
	w.redis = stack.Redis(t, w.RedisConfig)
	w.lists = trending.NewPublished(w.cfg, w.redis)
	w.job = w.replica()
	w.write("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'test', now64(3))")
	return w
}

// replica is a job of another process.
func (w *world) replica() *trending.Job {
	return trending.NewJob(w.cfg, w.weights, w.ClickHouse, core.CountedFromEvents(), w.lists, w.clock,
		prometheus.NewRegistry())
}

func (w *world) write(statement string) {
	w.t.Helper()
	require.NoError(w.t, w.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

// events are raw, as the consumer writes them; the views follow.
func (w *world) events(post int, action string, at time.Time, users ...int) {
	w.t.Helper()
	rows := make([]string, len(users))
	for i, user := range users {
		w.rows++
		rows[i] = fmt.Sprintf("(0, %d, generateUUIDv4(), %d, %d, '%s', %d, %d, 0, %d, 1, 7)", user, post, post+1000,
			action, at.UnixMilli(), at.UnixMilli(), w.rows)
	}
	w.write("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) VALUES " +
		strings.Join(rows, ","))
}

func (w *world) posts(version int, flags string, ids ...int) {
	w.t.Helper()
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = fmt.Sprintf("(%d, %d, now64(6), %d, %s)", id, id+1000, version, flags)
	}
	w.write("INSERT INTO posts (id, author_id, created_at, version, hidden, is_deleted) VALUES " +
		strings.Join(rows, ","))
}

func (w *world) run() { require.NoError(w.t, w.job.Run(context.Background(), 1)) }

func (w *world) list(window trending.Window) []core.ID {
	w.t.Helper()
	l, err := w.lists.Read(context.Background(), window)
	require.NoError(w.t, err)
	ids := make([]core.ID, len(l.Posts))
	for i, p := range l.Posts {
		ids[i] = p.ID
	}
	return ids
}

func people(n int) []int {
	users := make([]int, n)
	for i := range users {
		users[i] = i + 1
	}
	return users
}

func TestEachWindowListsWhatWasDoneInIt(t *testing.T) {
	w := newWorld(t)
	now := w.clock.now
	w.posts(1, "false, 0", 1, 2, 3, 4)
	w.events(1, "like", now.Add(-time.Minute), people(4)...)
	w.events(2, "share", now.Add(-5*time.Hour), people(5)...)
	w.events(3, "comment", now.Add(-4*24*time.Hour), people(20)...)
	w.events(4, "view", now.Add(-time.Minute), people(9)...) // nobody trends by being looked at
	_, err := w.lists.Read(context.Background(), trending.Hour)
	require.ErrorIs(t, err, trending.ErrNone)
	w.run()
	require.Equal(t, []core.ID{1}, w.list(trending.Hour))
	require.Equal(t, []core.ID{2, 1}, w.list(trending.Day))
	require.ElementsMatch(t, []core.ID{1, 2, 3}, w.list(trending.Week))
}

// The lists of the hot set are made by modules/feed/rank, whose tests have the same numbers.
func TestAScoreIsTheOneOfTheRanking(t *testing.T) {
	w := newWorld(t)
	w.write(fmt.Sprintf("INSERT INTO posts (id, author_id, created_at, version) VALUES (1, 1001, %d, 1)",
		w.clock.now.Add(-time.Hour).UnixMicro()))
	for _, action := range []string{"like", "comment", "share"} {
		w.events(1, action, w.clock.now, people(3)...)
	}
	w.run()
	for window, want := range map[trending.Window]float64{
		trending.Hour: 0.525834, trending.Day: 0.525834,
		trending.Week: 0.544564,
	} {
		l, err := w.lists.Read(context.Background(), window)
		require.NoError(t, err)
		require.Len(t, l.Posts, 1)
		require.InDelta(t, want, l.Posts[0].Score, 1e-6, window)
	}
}

// The floor of a large site is a share of what a day's people did, or of a seventh of what a week's did.
func TestTheFloorGrowsWithWhatAllDid(t *testing.T) {
	w := newWorld(t)
	w.weights.PeopleShare = 0.1 // a tenth of 60 in a day is six; of 200 in a week, by day, three
	w.job = w.replica()
	w.posts(1, "false, 0", 1, 2, 3, 4)
	w.events(1, "like", w.clock.now, people(49)...)
	w.events(2, "like", w.clock.now, people(6)...)
	w.events(3, "like", w.clock.now, people(5)...)
	w.events(4, "like", w.clock.now.Add(-3*24*time.Hour), people(140)...)
	w.run()
	require.Equal(t, []core.ID{1, 2}, w.list(trending.Hour))
	require.Equal(t, []core.ID{1, 2}, w.list(trending.Day))
	require.ElementsMatch(t, []core.ID{1, 2, 3, 4}, w.list(trending.Week))
}

// Enough people of a day are enough for the list of its last hour, as in the hot set.
func TestTheHourAsksForThePeopleOfADay(t *testing.T) {
	w := newWorld(t)
	w.posts(1, "false, 0", 1, 2)
	w.events(1, "like", w.clock.now.Add(-5*time.Hour), 1, 2)
	w.events(1, "like", w.clock.now, 3, 4, 5)
	w.events(2, "like", w.clock.now.Add(-5*time.Hour), people(5)...)
	w.run()
	require.Equal(t, []core.ID{1}, w.list(trending.Hour))
	require.ElementsMatch(t, []core.ID{1, 2}, w.list(trending.Day))
}

func TestOneAccountsBurstDoesNotTrend(t *testing.T) {
	w := newWorld(t)
	at := w.clock.now.Add(-time.Minute)
	w.posts(1, "false, 0", 1, 2, 3, 4)
	burst := make([]int, 500)
	for i := range burst {
		burst[i] = 1
	}
	w.events(1, "share", at, burst...)                         // one account
	w.events(2, "share", at, append(burst, 2, 3)...)           // the same, and two who pass by
	w.events(3, "share", at, people(9)...)                     // nine people
	w.events(4, "share", at, append(people(2), 1004, 1004)...) // two people and the author: too few, but no burst
	w.run()
	require.Equal(t, []core.ID{3, 2}, w.list(trending.Day))
	l, err := w.lists.Read(context.Background(), trending.Day)
	require.NoError(t, err)
	require.Equal(t, []core.ID{1}, l.Refused)
}

func TestADeletedOrHiddenPostLeavesTheListBeforeItIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.posts(1, "false, 0", 1, 2, 3)
	for post := 1; post <= 4; post++ { // the fourth is not known
		w.events(post, "like", w.clock.now.Add(-time.Minute), people(5-post+3)...)
	}
	w.run()
	require.Equal(t, []core.ID{1, 2, 3}, w.list(trending.Week))
	w.posts(2, "true, 0", 1)
	w.posts(2, "false, 1", 2)
	w.events(3, "like", w.clock.now, people(50)...)
	w.clock.now = w.clock.now.Add(w.cfg.Every)
	w.run()
	for _, window := range []trending.Window{trending.Hour, trending.Day, trending.Week} {
		require.Equal(t, []core.ID{3}, w.list(window))
	}
}

func TestAnOlderLeadPublishesNothing(t *testing.T) {
	w := newWorld(t)
	w.posts(1, "false, 0", 1, 2)
	w.events(1, "like", w.clock.now.Add(-time.Minute), people(3)...)
	frozen := w.replica()
	require.NoError(t, frozen.Run(context.Background(), 1))
	w.events(2, "like", w.clock.now.Add(-time.Minute), people(9)...)
	require.NoError(t, w.job.Run(context.Background(), 2))
	require.ErrorIs(t, frozen.Run(context.Background(), 1), redis.ErrFenced)
	require.Equal(t, []core.ID{2, 1}, w.list(trending.Day))
	require.NoError(t, frozen.Run(context.Background(), 3), "it leads again")
}

func TestAListIsBoundedAndExpires(t *testing.T) {
	w := newWorld(t, func(c *trending.Config) { c.Limit = 3 })
	w.posts(1, "false, 0", people(8)...)
	for post := 1; post <= 8; post++ {
		w.events(post, "like", w.clock.now.Add(-time.Minute), people(3+post)...)
	}
	w.run()
	require.Equal(t, []core.ID{8, 7, 6}, w.list(trending.Day))
	conn, err := w.redis.Conn()
	require.NoError(t, err)
	left, err := conn.Do(context.Background(), conn.B().Pttl().Key("hot:posts:{24h}").Build()).AsInt64()
	require.NoError(t, err)
	require.InDelta(t, w.cfg.Keep.Milliseconds(), left, 10_000)
	require.NoError(t, conn.Do(context.Background(),
		conn.B().Set().Key("hot:posts:{24h}").Value(`{"posts":[{"post":"0"}]}`).Build()).Error())
	_, err = w.lists.Read(context.Background(), trending.Day)
	require.ErrorContains(t, err, `"0": not a number of a key`)
	require.Contains(t, trending.Config{Every: time.Minute, Keep: time.Minute}.Check(), "keep")
	require.Empty(t, trending.DefaultConfig().Check())
}
