package hot_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

type manualClock struct{ now time.Time }

func (c *manualClock) Now() time.Time { return c.now }

var noon = time.Date(2026, 5, 1, 12, 30, 0, 0, time.UTC)

// table stands for ClickHouse where a test must say what happens in the middle of a read.
type table struct {
	posts  []core.Post
	counts map[core.ID]core.Engagement
	during func()        // called when the posts have been read
	within time.Duration // what was asked last of what was written lately
	err    error
}

func (s *table) Posts(_ context.Context, since time.Time, limit int, add func(core.Post)) error {
	for _, p := range s.posts {
		if limit > 0 && !p.CreatedAt.Before(since) {
			add(p)
			limit--
		}
	}
	if s.during != nil {
		s.during()
	}
	return s.err
}

func (s *table) OlderPosts(_ context.Context, before time.Time, limit int, add func(core.Post)) error {
	for _, p := range s.posts {
		if limit > 0 && p.CreatedAt.Before(before) {
			add(p)
			limit--
		}
	}
	return s.err
}

func (s *table) Engagement(_ context.Context, _, _ time.Time, add func(core.ID, hot.Age, core.Engagement)) error {
	for id, e := range s.counts {
		add(id, hot.Current, e)
	}
	return s.err
}

func (s *table) EngagementLately(ctx context.Context, since, hour time.Time, within time.Duration,
	add func(core.ID, hot.Age, core.Engagement),
) error {
	s.within = within
	return s.Engagement(ctx, since, hour, add)
}

func newSet(cfg hot.Config, source hot.Source, clock core.Clock) *hot.Set {
	return hot.New(cfg, source, rank.NewLive(rank.DefaultConfig()), clock, hot.NewMetrics(prometheus.NewRegistry()),
		zap.NewNop())
}

func post(id, author core.ID, created time.Time) core.Post {
	return core.Post{ID: id, AuthorID: author, CreatedAt: created}
}

func put(p core.Post) core.Change { return core.Change{Kind: core.PostPut, Post: p} }
func deleted(id core.ID) core.Change {
	return core.Change{Kind: core.PostDeleted, Post: core.Post{ID: id}}
}

func holds(s *hot.Set, id core.ID) bool {
	v := s.View()
	defer v.Close()
	_, ok := v.Post(id)
	return ok
}

func TestAChangeOutweighsALoadThatBeganBeforeIt(t *testing.T) {
	clock := &manualClock{noon}
	source := &table{posts: []core.Post{post(1, 10, noon.Add(-time.Hour)), post(2, 10, noon.Add(-time.Hour))}}
	set := newSet(hot.DefaultConfig(), source, clock)
	source.during = func() { set.Apply([]core.Change{deleted(1), put(post(3, 11, noon))}) }
	require.NoError(t, set.Load(context.Background()))
	require.False(t, holds(set, 1), "deleted while the load was running")
	require.True(t, holds(set, 2))
	require.True(t, holds(set, 3), "posted while the load was running")

	source.during = nil
	require.NoError(t, set.Load(context.Background()))
	require.False(t, holds(set, 1), "ClickHouse may lag behind the changes")

	clock.now = noon.Add(time.Hour)
	require.NoError(t, set.Load(context.Background()))
	require.True(t, holds(set, 1), "after an hour, ClickHouse is right")
	require.False(t, holds(set, 3))
}

func TestTheSetOutlivesItsSource(t *testing.T) {
	clock := &manualClock{noon}
	source := &table{
		posts:  []core.Post{post(1, 10, noon.Add(-time.Hour))},
		counts: map[core.ID]core.Engagement{1: {Likes: 3}},
	}
	set := newSet(hot.DefaultConfig(), source, clock)
	require.ErrorIs(t, set.Check(context.Background()), hot.ErrNotLoaded)
	require.NoError(t, set.Load(context.Background()))
	require.NoError(t, set.Check(context.Background()))

	source.err = errors.New("gone")
	require.Error(t, set.Load(context.Background()))
	require.Error(t, set.Refresh(context.Background(), false))
	set.Apply([]core.Change{put(post(2, 11, noon))})
	require.True(t, holds(set, 1))
	require.True(t, holds(set, 2))
	clock.now = noon.Add(time.Minute)
	require.Error(t, set.Check(context.Background()), "its engagement is too old")
}

func TestAfterATruncateWhatClickHouseHoldsDecides(t *testing.T) {
	source := &table{}
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	set.Apply([]core.Change{
		put(post(1, 10, noon)), put(post(2, 10, noon)),
		{Kind: core.TableCleared},
		put(post(3, 10, noon)),
	})
	// written after the truncate, told of before it; 3 is still on its way
	source.posts = []core.Post{post(2, 10, noon)}
	require.NoError(t, set.Load(context.Background()))
	require.False(t, holds(set, 1))
	require.True(t, holds(set, 2))
	require.True(t, holds(set, 3))
}

func TestWhatASnapshotBroughtStaysWhenClickHouseIsLate(t *testing.T) {
	source := &table{posts: []core.Post{post(9, 10, noon)}}
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	require.NoError(t, set.Load(context.Background()))
	set.Apply([]core.Change{put(post(1, 10, noon)), {Kind: core.TableReread}})
	source.posts = nil // the sweep took post 9; post 1 is still on its way
	require.NoError(t, set.Load(context.Background()))
	require.True(t, holds(set, 1))
	require.False(t, holds(set, 9))
}

func TestAHiddenPostLeavesAndMayComeBack(t *testing.T) {
	set := newSet(hot.DefaultConfig(), &table{}, &manualClock{noon})
	p := post(1, 10, noon)
	set.Apply([]core.Change{put(p)})
	hidden := p
	hidden.Visibility = core.Hidden
	set.Apply([]core.Change{put(hidden)})
	require.False(t, holds(set, 1))
	set.Apply([]core.Change{put(p)})
	require.True(t, holds(set, 1))
}

func TestTheSetIsBounded(t *testing.T) {
	cfg := hot.DefaultConfig()
	cfg.MaxPosts = 1000
	set := newSet(cfg, &table{}, &manualClock{noon})
	for i := range 5000 {
		set.Apply([]core.Change{put(post(core.ID(i+1), core.ID(i%70+1), noon.Add(-time.Duration(5000-i)*time.Second)))})
	}
	require.LessOrEqual(t, set.Status().Posts, 1000)
	require.True(t, holds(set, 5000), "the newest stay")
	require.False(t, holds(set, 1))
}

func TestTheSetHoldsWhatWasSaidLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := &manualClock{noon}
		source := &table{}
		set := newSet(hot.DefaultConfig(), source, clock)
		truth := map[core.ID]core.Post{}
		id := rapid.Int64Range(1, 15)
		t.Repeat(map[string]func(*rapid.T){
			"post": func(t *rapid.T) {
				p := post(core.ID(id.Draw(t, "id")), core.ID(id.Draw(t, "author")), clock.now)
				truth[p.ID] = p
				set.Apply([]core.Change{put(p)})
			},
			"delete": func(t *rapid.T) {
				one := core.ID(id.Draw(t, "id"))
				delete(truth, one)
				set.Apply([]core.Change{deleted(one)})
			},
			"ClickHouse catches up": func(*rapid.T) {
				source.posts = nil
				for _, p := range truth {
					source.posts = append(source.posts, p)
				}
			},
			"load":    func(t *rapid.T) { require.NoError(t, set.Load(context.Background())) },
			"a while": func(*rapid.T) { clock.now = clock.now.Add(time.Second) },
			"": func(t *rapid.T) {
				for i := range 15 {
					_, want := truth[core.ID(i+1)]
					require.Equal(t, want, holds(set, core.ID(i+1)), "post %d", i+1)
				}
			},
		})
	})
}

func TestArrivalsAreToldLatestFirstAndSinceATime(t *testing.T) {
	clock := &manualClock{noon}
	set := newSet(hot.DefaultConfig(), &table{}, clock)
	for i := range 5 {
		clock.now = noon.Add(time.Duration(i) * time.Second)
		set.Apply([]core.Change{put(post(core.ID(i+1), 10, clock.now))})
	}
	v := set.View()
	defer v.Close()
	var got []core.ID
	v.ArrivedSince(noon.Add(3*time.Second), func(id, _, _ core.ID) bool {
		got = append(got, id)
		return true
	})
	require.Equal(t, []core.ID{5, 4}, got)
}

func TestAPostIsDueOnceAtTheTimeThatItHasNow(t *testing.T) {
	clock := &manualClock{now: noon}
	source := &table{posts: []core.Post{post(1, 7, noon.Add(3*time.Hour)), post(2, 7, noon.Add(-time.Hour))}}
	s := newSet(hot.DefaultConfig(), source, clock)
	require.NoError(t, s.Load(t.Context()))
	put := func(p core.Post) { s.Apply([]core.Change{{Kind: core.PostPut, Post: p}}) }
	put(post(3, 7, noon.Add(2*time.Hour)))
	put(post(3, 7, noon.Add(2*time.Hour)))
	put(post(4, 7, noon.Add(time.Hour)))
	put(post(5, 7, noon.Add(time.Hour)))
	put(post(5, 7, noon.Add(4*time.Hour))) // later
	put(post(6, 7, noon.Add(time.Hour)))
	s.Apply([]core.Change{{Kind: core.PostDeleted, Post: core.Post{ID: 6}}})
	due := func(since, until time.Duration) (ids []core.ID) {
		v := s.View()
		defer v.Close()
		v.DueSince(noon.Add(since), noon.Add(until), func(p *hot.Post) bool {
			ids = append(ids, p.ID)
			return true
		})
		return ids
	}
	require.Empty(t, due(0, time.Hour-time.Microsecond))
	require.Equal(t, []core.ID{4, 3, 1, 5}, due(0, 5*time.Hour))
	require.Equal(t, []core.ID{3, 1}, due(time.Hour, 3*time.Hour))

	source.posts = append(source.posts, post(3, 7, noon.Add(2*time.Hour)), post(4, 7, noon.Add(time.Hour)),
		post(5, 7, noon.Add(4*time.Hour)), post(8, 7, noon.Add(6*time.Hour)))
	clock.now = noon.Add(2*time.Hour + time.Minute)
	require.NoError(t, s.Load(t.Context()))
	require.Equal(t, []core.ID{4, 3, 1, 5, 8}, due(0, 6*time.Hour), "what has passed stays for those who come late")
}

func TestMemoryIsNearTheEstimate(t *testing.T) {
	const n = 200_000
	source := &table{}
	for i := range n {
		source.posts = append(source.posts, post(core.ID(i+1), core.ID(1+(i*7919)%60_000),
			noon.Add(-time.Duration(n-i)*time.Second)))
	}
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	require.NoError(t, set.Load(context.Background()))
	runtime.GC()
	runtime.ReadMemStats(&after)
	real := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.0f bytes a post, estimated %.0f", real, float64(set.Status().Bytes)/n)
	require.Less(t, real, 160.0) // 104 of them are the post
	runtime.KeepAlive(source)
}

func TestTheSetSaysWhetherItKnowsOfEveryArrival(t *testing.T) {
	clock := &manualClock{noon}
	set := newSet(hot.DefaultConfig(), &table{posts: []core.Post{post(1, 10, noon.Add(-time.Hour))}}, clock)
	require.NoError(t, set.Load(context.Background()))
	arrivals := func(since time.Time) (int, bool) {
		v := set.View()
		defer v.Close()
		return v.Arrivals(since)
	}
	n, all := arrivals(noon.Add(-time.Second))
	require.Zero(t, n)
	require.False(t, all, "it was not there yet")
	for i := range 20_000 {
		clock.now = noon.Add(time.Duration(i+1) * time.Second)
		set.Apply([]core.Change{put(post(core.ID(100+i), 11, clock.now))})
		if i == 99 {
			n, all = arrivals(noon.Add(51 * time.Second))
			require.Equal(t, 50, n)
			require.True(t, all)
		}
	}
	n, all = arrivals(clock.now.Add(-9 * time.Second))
	require.Equal(t, 10, n)
	require.True(t, all)
	_, all = arrivals(noon.Add(time.Minute))
	require.False(t, all, "too many since")
}

func TestARefreshReadsWhatWasWrittenSinceTheLastOneThatSucceeded(t *testing.T) {
	clock := &manualClock{noon}
	source := &table{posts: []core.Post{post(1, 10, noon.Add(-time.Hour))}}
	set := newSet(hot.DefaultConfig(), source, clock)
	ctx := context.Background()
	require.NoError(t, set.Load(ctx))
	const writing = 10 * time.Second
	after := func(pause time.Duration) time.Duration {
		clock.now = clock.now.Add(pause)
		err := set.Refresh(ctx, false)
		require.ErrorIs(t, err, source.err)
		return source.within
	}
	require.Equal(t, writing+time.Second, after(time.Second))
	require.Equal(t, writing+2*time.Second, after(2*time.Second))
	source.err = errors.New("gone")
	after(time.Minute)
	source.err = nil
	require.Equal(t, writing+2*time.Minute, after(time.Minute), "nothing of the outage is left out")
	require.NoError(t, set.Refresh(ctx, true))
	require.Equal(t, writing+time.Second, after(time.Second))
}

func TestWhoObservesIsToldOfAuthorsAndGroups(t *testing.T) {
	set := newSet(hot.DefaultConfig(), &table{}, &manualClock{noon})
	var told []core.ID
	set.Observe(func(id core.ID) { told = append(told, id) })
	expect := func(change core.Change, want ...core.ID) {
		t.Helper()
		told = nil
		set.Apply([]core.Change{change})
		require.Equal(t, want, told)
	}
	one := post(1, 10, noon)
	expect(put(one), 10)
	one.Group = 7
	expect(put(one), 10, 7, 10)
	one.Group = 8
	expect(put(one), 10, 8, 10, 7)
	expect(deleted(1), 10, 8)
	expect(deleted(1))
}
