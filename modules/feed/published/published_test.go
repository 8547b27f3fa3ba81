package published_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// job is what the trending job has left in Redis. Each reading of the day's list is one round.
type job struct {
	lists  map[string]published.List
	err    error
	rounds chan struct{} // taken from by each round
}

func (j *job) Trending(ctx context.Context, window string) (published.List, error) {
	if window == published.Hour {
		select {
		case <-j.rounds:
		case <-ctx.Done():
			return published.List{}, ctx.Err()
		}
	}
	return j.lists[window], j.err
}

func ranked(ids ...core.ID) (list []hot.Ranked) {
	for _, id := range ids {
		list = append(list, hot.Ranked{Post: hot.Post{ID: id}})
	}
	return list
}

// TestAListThatCannotBeReadStaysAndOneThatIsGoneIsNotTrusted reads the job's lists round by round.
func TestAListThatCannotBeReadStaysAndOneThatIsGoneIsNotTrusted(t *testing.T) {
	j := &job{rounds: make(chan struct{})}
	failures := prometheus.NewCounter(prometheus.CounterOpts{Name: "failures"})
	suppressed := make(chan []core.ID)
	lists := published.NewLists(j, time.Millisecond, guards.Unguarded{}, func(ids []core.ID) { suppressed <- ids },
		failures)
	require.Empty(t, lists.Of(published.Week), "before the first reading")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- lists.Follow(ctx) }()
	round := func() []core.ID {
		j.rounds <- struct{}{}
		return <-suppressed
	}

	j.lists = map[string]published.List{
		published.Day:  {Posts: ranked(1, 2), Suppressed: []core.ID{9}},
		published.Week: {Posts: ranked(3)},
	}
	require.Equal(t, []core.ID{9}, round())
	require.Equal(t, ranked(1, 2), lists.Of(published.Day))
	require.Equal(t, &hot.Lists{Day: ranked(1, 2), Popular: ranked(3)}, lists.AsHot())

	j.err = errors.New("away")
	require.Equal(t, []core.ID{9}, round())
	require.Equal(t, ranked(1, 2), lists.Of(published.Day))
	require.InDelta(t, 3, testutil.ToFloat64(failures), 0)

	j.err, j.lists = nil, nil
	require.Equal(t, []core.ID{9}, round(), "who was left out stays so until a list says otherwise")
	require.Empty(t, lists.Of(published.Day))

	cancel()
	for running := true; running; {
		select {
		case <-suppressed: // of the round under way
		case err := <-ended:
			require.NoError(t, err)
			running = false
		}
	}
}

// weekly is ClickHouse.
type weekly struct {
	asked atomic.Int64
	list  []hot.Ranked
	err   error
	hold  chan struct{}
}

func (w *weekly) Since(_ context.Context, since, now time.Time, _ *rank.Config, limit int) ([]hot.Ranked, error) {
	w.asked.Add(1)
	if w.hold != nil {
		<-w.hold
	}
	if now.Sub(since) != 7*24*time.Hour || limit != 5 {
		return nil, errors.New("not a week, or not so many")
	}
	return w.list, w.err
}

func TestTheWeeksListIsAskedForOnceAMinuteByOneRequest(t *testing.T) {
	source := &weekly{list: ranked(1)}
	cache := published.NewWeekCache(source, guards.Unguarded{}, 5)
	ranking, now := rank.DefaultConfig(), time.Date(2026, 5, 8, 12, 0, 0, 0, time.UTC)
	list := func(at time.Time) []hot.Ranked {
		got, err := cache.List(t.Context(), &ranking, at)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, ranked(1), list(now))
	source.list = ranked(2)
	require.Equal(t, ranked(1), list(now.Add(59*time.Second)))
	require.Equal(t, ranked(2), list(now.Add(time.Minute)))
	require.EqualValues(t, 2, source.asked.Load())

	source.err = errors.New("away")
	require.Equal(t, ranked(2), list(now.Add(2*time.Minute)), "an older list is better than none")
	require.EqualValues(t, 3, source.asked.Load())

	source.err, source.hold = nil, make(chan struct{})
	asking := make(chan []hot.Ranked)
	go func() {
		got, _ := cache.List(context.Background(), &ranking, now.Add(4*time.Minute))
		asking <- got
	}()
	require.Eventually(t, func() bool { return source.asked.Load() == 4 }, 10*time.Second, time.Millisecond)
	require.Equal(t, ranked(2), list(now.Add(4*time.Minute)), "the others use what there is")
	source.hold <- struct{}{}
	require.Equal(t, ranked(2), <-asking)
	require.EqualValues(t, 4, source.asked.Load())
}

func TestWithoutAListOfTheWeekTheReasonIsTold(t *testing.T) {
	source := &weekly{err: errors.New("away")}
	cache := published.NewWeekCache(source, guards.Unguarded{}, 5)
	ranking := rank.DefaultConfig()
	_, err := cache.List(t.Context(), &ranking, time.Now())
	require.ErrorIs(t, err, source.err)
	list, err := published.Nothing{}.Trending(t.Context(), published.Day)
	require.NoError(t, err)
	require.Empty(t, list)
}
