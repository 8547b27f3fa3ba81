package hot_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// aged gives engagement of each age.
type aged struct {
	table
	of map[hot.Age]core.Engagement
}

func (s *aged) Engagement(_ context.Context, _, _ time.Time, add func(core.ID, hot.Age, core.Engagement)) error {
	for age, e := range s.of {
		add(1, age, e)
	}
	return s.err
}

func (s *aged) EngagementLately(ctx context.Context, since, hour time.Time, _ time.Duration,
	add func(core.ID, hot.Age, core.Engagement),
) error {
	return s.Engagement(ctx, since, hour, add)
}

func TestDislikesCountByTheirHourAndAreTakenBack(t *testing.T) {
	clock := &manualClock{noon} // half past
	source := &aged{of: map[hot.Age]core.Engagement{
		hot.Past: {Likes: 40, Dislikes: 9}, hot.Previous: {Likes: 6, Dislikes: 4}, hot.Current: {Likes: 5, Dislikes: 2},
	}}
	source.posts = []core.Post{post(1, 10, noon.Add(-3*time.Hour)), post(2, 11, noon)}
	set := newSet(hot.DefaultConfig(), source, clock)
	require.NoError(t, set.Load(t.Context()))
	says := func(day, hour core.Engagement) {
		t.Helper()
		v := set.View()
		defer v.Close()
		p, _ := v.Post(1)
		require.Equal(t, day, p.Day())
		require.Equal(t, hour, v.Done(&p, true, clock.now))
		none, _ := v.Post(2)
		require.Zero(t, v.Done(&none, true, clock.now))
	}
	says(core.Engagement{Likes: 51, Dislikes: 15}, core.Engagement{Likes: 8, Dislikes: 4})
	require.Len(t, set.Lists().Hour, 1)

	source.of = map[hot.Age]core.Engagement{hot.Current: {Likes: 5, Dislikes: 12}}
	require.NoError(t, set.Refresh(t.Context(), false))
	says(core.Engagement{Likes: 51, Dislikes: 25}, core.Engagement{Likes: 8, Dislikes: 14})
	require.NoError(t, set.Load(t.Context()))
	require.Empty(t, set.Lists().Hour, "more dislike it")

	source.of = map[hot.Age]core.Engagement{hot.Current: {Likes: 5}}
	require.NoError(t, set.Refresh(t.Context(), true))
	says(core.Engagement{Likes: 5}, core.Engagement{Likes: 5})
	set.Apply([]core.Change{deleted(1), put(source.posts[0])})
	says(core.Engagement{}, core.Engagement{})
}
