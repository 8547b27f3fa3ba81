package hot_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// lookups is a table that also answers for single posts.
type lookups struct {
	table
	asked int
}

func (l *lookups) PostsByID(_ context.Context, ids []core.ID, add func(core.Post)) error {
	l.asked++
	for _, p := range l.posts {
		for _, id := range ids {
			if p.ID == id {
				add(p)
			}
		}
	}
	return l.err
}

func unclear(id core.ID) core.Change {
	return core.Change{Kind: core.PostUnclear, Post: core.Post{ID: id}}
}

func created(s *hot.Set, id core.ID) time.Time {
	v := s.View()
	defer v.Close()
	p, _ := v.Post(id)
	return time.UnixMicro(p.Created).UTC()
}

func TestARepairedPostIsLookedUpWithinASecond(t *testing.T) {
	clock := &manualClock{noon}
	source := &lookups{table: table{posts: []core.Post{
		post(1, 10, noon.Add(-time.Hour)),
		post(2, 10, noon.Add(-time.Hour)),
	}}}
	set := newSet(hot.DefaultConfig(), source, clock)
	require.NoError(t, set.Load(context.Background()))
	// The repair of 1 removes it, 3 was missing, 2 has another time.
	source.posts = []core.Post{post(2, 10, noon.Add(-2*time.Hour)), post(3, 11, noon.Add(-time.Hour))}
	set.Apply([]core.Change{unclear(1), unclear(2), unclear(3), unclear(4)})
	require.NoError(t, set.Resolve(context.Background()))
	require.Zero(t, source.asked, "the consumer has to write it first")
	for range 10 {
		clock.now = clock.now.Add(100 * time.Millisecond)
		require.NoError(t, set.Resolve(context.Background()))
	}
	require.False(t, holds(set, 1))
	require.True(t, holds(set, 3))
	require.Equal(t, noon.Add(-2*time.Hour), created(set, 2))
	require.False(t, holds(set, 4))

	source.posts = append(source.posts, post(1, 10, noon)) // the consumer was late with what came after
	for range 130 {
		clock.now = clock.now.Add(500 * time.Millisecond)
		require.NoError(t, set.Resolve(context.Background()))
	}
	require.True(t, holds(set, 1))
	require.Zero(t, set.Unclear(), "after a minute nothing is in doubt")
	asked := source.asked
	require.NoError(t, set.Resolve(context.Background()))
	require.Equal(t, asked, source.asked)
}

func TestWhatWeWereToldIsNotUndoneByACopyThatIsLate(t *testing.T) {
	clock := &manualClock{noon}
	source := &lookups{table: table{posts: []core.Post{
		post(1, 10, noon.Add(-time.Hour)),
		post(2, 10, noon.Add(-time.Hour)),
	}}}
	set := newSet(hot.DefaultConfig(), source, clock)
	require.NoError(t, set.Load(context.Background()))
	set.Apply([]core.Change{deleted(1), unclear(1), unclear(2), deleted(2)})
	for range 40 {
		clock.now = clock.now.Add(100 * time.Millisecond)
		require.NoError(t, set.Resolve(context.Background()))
		require.False(t, holds(set, 1), "deleted before the repair; ClickHouse has not heard of it")
		require.False(t, holds(set, 2), "deleted after it")
	}
}

func TestAnEditOfAPostsTimeCountsAtOnce(t *testing.T) {
	clock := &manualClock{noon}
	cfg := hot.DefaultConfig()
	cfg.OlderPosts = 0
	set := newSet(cfg, &table{posts: []core.Post{post(1, 10, noon), post(2, 10, noon)}}, clock)
	require.NoError(t, set.Load(context.Background()))
	old := noon.Add(-cfg.Window - time.Hour)
	set.Apply([]core.Change{put(post(1, 10, old)), put(post(2, 11, noon.Add(-time.Hour))), put(post(3, 10, old))})
	require.Equal(t, old, created(set, 1), "back, beyond the window")
	require.Equal(t, noon.Add(-time.Hour), created(set, 2))
	require.False(t, holds(set, 3), "an edit of a post of long ago does not bring it in")
}
