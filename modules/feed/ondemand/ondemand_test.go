package ondemand_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/ondemand"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// clickhouse has a post of each author, with the author's id, but of author 8.
type clickhouse struct {
	hold    chan struct{}
	authors []core.ID // that were asked for
	since   time.Time
}

func (c *clickhouse) PostsOf(_ context.Context, authors, _ []core.ID, since time.Time, _ int,
	add func(core.Post),
) error {
	if c.hold != nil {
		c.hold <- struct{}{}
		<-c.hold
	}
	c.authors, c.since = authors, since
	for _, author := range authors {
		if author != 8 {
			add(core.Post{ID: author, AuthorID: author, CreatedAt: since.Add(time.Hour)})
		}
	}
	return nil
}

func (c *clickhouse) PostsByID(context.Context, []core.ID, func(core.Post)) error { return nil }

func (c *clickhouse) EngagementOf(context.Context, []core.ID, time.Time, time.Time,
	func(core.ID, hot.Age, core.Engagement),
) error {
	return nil
}

// Posts, OlderPosts, Engagement and EngagementLately are what the replica's own set loads.
func (c *clickhouse) Posts(_ context.Context, since time.Time, _ int, add func(core.Post)) error {
	add(core.Post{ID: 1, AuthorID: 2, CreatedAt: since.Add(time.Hour)})
	return nil
}

func (c *clickhouse) OlderPosts(context.Context, time.Time, int, func(core.Post)) error { return nil }

func (c *clickhouse) Engagement(context.Context, time.Time, time.Time,
	func(core.ID, hot.Age, core.Engagement),
) error {
	return nil
}

func (c *clickhouse) EngagementLately(context.Context, time.Time, time.Time, time.Duration,
	func(core.ID, hot.Age, core.Engagement),
) error {
	return nil
}

type manualClock struct{ now time.Time }

func (c *manualClock) Now() time.Time { return c.now }

func provider(from *clickhouse, clock core.Clock) (*ondemand.Provider, *hot.Set, prometheus.Counter) {
	provided := prometheus.NewCounter(prometheus.CounterOpts{Name: "provided"})
	reg := prometheus.NewRegistry()
	own := hot.New(hot.DefaultConfig(), from, rank.NewLive(rank.DefaultConfig()), clock, hot.NewMetrics(reg),
		zap.NewNop())
	return ondemand.New(ondemand.Params{
		Own: own, Direct: from, ClickHouse: guards.Unguarded{}, Clock: clock, Window: 72 * time.Hour, Posts: 100,
		Lists: published.NewLists(published.Nothing{}, time.Hour, guards.Unguarded{}, func([]core.ID) {},
			prometheus.NewCounter(prometheus.CounterOpts{Name: "failures"})),
		AtOnce: 1, Provided: provided,
	}), own, provided
}

func viewer() *filters.Viewer {
	v := &filters.Viewer{}
	v.Begin(filters.NewSet(filters.All(), prometheus.NewRegistry()), 1)
	return v
}

func TestAReplicasOwnSetIsUsedOnceItIsLoadedAndAsLongAsItIsNotTooOld(t *testing.T) {
	clock := &manualClock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	p, own, _ := provider(&clickhouse{}, clock)
	require.ErrorIs(t, p.Unavailable(), hot.ErrNotLoaded)
	require.NoError(t, own.Load(t.Context()))
	require.NoError(t, p.Unavailable())
	clock.now = clock.now.Add(hot.DefaultConfig().ReplaceAfter + time.Second)
	require.ErrorContains(t, p.Unavailable(), "too old")
}

func TestASetHasThePostsOfWhomTheViewerFollowsOrCaresForAndMaySee(t *testing.T) {
	clock := &manualClock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	from := &clickhouse{}
	p, _, provided := provider(from, clock)
	set, err := p.Set(t.Context(), viewer(), []reserve.Author{
		{ID: 2, Relation: reserve.Follows},
		{ID: 3, Interactions: 5},
		{ID: 4},
		{ID: 5, Relation: reserve.Follows | reserve.Mutes},
		{ID: 6, Relation: reserve.BlockedBy, Interactions: 5},
	}, nil)
	require.NoError(t, err)
	require.Equal(t, []core.ID{2, 3}, slices.Sorted(slices.Values(from.authors)))
	require.Equal(t, clock.now.Add(-72*time.Hour), from.since)
	require.True(t, set.Useful())
	require.InDelta(t, 1, testutil.ToFloat64(provided), 0)

	_, err = p.Set(t.Context(), viewer(), []reserve.Author{{ID: 8, Relation: reserve.Follows}}, nil)
	require.ErrorIs(t, err, hot.ErrNotLoaded, "an empty set is none")
	require.InDelta(t, 1, testutil.ToFloat64(provided), 0)
}

func TestSoManySetsAreAskedForAtOnceAndNoMore(t *testing.T) {
	from := &clickhouse{hold: make(chan struct{})}
	p, _, _ := provider(from, core.SystemClock{})
	follows := []reserve.Author{{ID: 2, Relation: reserve.Follows}}
	first := make(chan error)
	go func() {
		_, err := p.Set(context.Background(), viewer(), follows, nil)
		first <- err
	}()
	<-from.hold
	_, err := p.Set(t.Context(), viewer(), follows, nil)
	require.ErrorContains(t, err, "enough requests")
	from.hold <- struct{}{}
	require.NoError(t, <-first)
	from.hold = nil
	_, err = p.Set(t.Context(), viewer(), follows, nil)
	require.NoError(t, err, "its place came back")
}
