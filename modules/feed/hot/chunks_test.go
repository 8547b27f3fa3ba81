package hot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// A set takes rows over in chunks of 1,024: the first and the last row of each chunk count like any other.
func TestEveryRowOfALoadAndOfARefreshCounts(t *testing.T) {
	for name, refresh := range map[string]func(*hot.Set) error{
		"load":                      func(s *hot.Set) error { return s.Load(t.Context()) },
		"refresh of what is late":   func(s *hot.Set) error { return s.Refresh(t.Context(), false) },
		"refresh of the whole day":  func(s *hot.Set) error { return s.Refresh(t.Context(), true) },
		"refresh after an hour":     func(s *hot.Set) error { return s.Refresh(t.Context(), false) },
		"refresh of whole chunks":   func(s *hot.Set) error { return s.Refresh(t.Context(), false) },
		"refresh of one more chunk": func(s *hot.Set) error { return s.Refresh(t.Context(), false) },
	} {
		t.Run(name, func(t *testing.T) {
			rows := map[string]int{"refresh of whole chunks": 2048, "refresh of one more chunk": 2049}[name]
			if rows == 0 {
				rows = 2600
			}
			clock := &manualClock{noon}
			source := &table{counts: map[core.ID]core.Engagement{}}
			for id := core.ID(1); id <= core.ID(rows); id++ {
				source.posts = append(source.posts, post(id, 10+id%100, noon.Add(-time.Minute)))
			}
			set := newSet(hot.DefaultConfig(), source, clock)
			require.NoError(t, set.Load(t.Context()))
			if name == "refresh after an hour" {
				clock.now = noon.Add(time.Hour)
			}
			for i := range source.posts {
				source.counts[source.posts[i].ID] = core.Engagement{
					Likes: int64(i + 1), Exposures: int64(10 * (i + 1)), Dislikes: int64(i % 3),
				}
			}
			require.NoError(t, refresh(set))
			v := set.View()
			defer v.Close()
			for id, want := range source.counts {
				p, ok := v.Post(id)
				require.True(t, ok, "post %d", id)
				require.Equal(t, want, p.Day(), "post %d", id)
			}
		})
	}
}
