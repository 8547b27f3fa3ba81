package shortlist_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return noon }

// Who follows twenty people, of whom one writes all day, finds the one post of a quiet one at the kept place; a
// stranger who posts seldom is not among them.
func TestOneWhoPostsSeldomIsNotDrowned(t *testing.T) {
	const quiet, stranger, talkers = 50, 60, 20
	set := hot.New(hot.DefaultConfig(), nil, rank.NewLive(rank.DefaultConfig()), fixedClock{},
		hot.NewMetrics(prometheus.NewRegistry()), zap.NewNop())
	viewer, next := &reserve.Reserve{}, core.ID(1000)
	post := func(author core.ID, age time.Duration) {
		next++
		set.Apply([]core.Change{{Kind: core.PostPut, Post: core.Post{
			ID: next, AuthorID: author, CreatedAt: noon.Add(-age),
		}}})
	}
	for author := core.ID(1); author <= talkers; author++ {
		viewer.Authors = append(viewer.Authors, reserve.Author{ID: author, Relation: reserve.Follows})
		for n := range 6 {
			post(author, time.Duration(n)*time.Hour)
		}
	}
	viewer.Authors = append(viewer.Authors, reserve.Author{ID: quiet, Relation: reserve.Follows})
	post(quiet, 60*time.Hour) // the oldest of all
	for range 5 {
		post(quiet, 80*time.Hour) // of a busier week
	}
	post(stranger, 59*time.Hour)

	order := func(share float64) (places map[core.ID]int, kept []core.ID) {
		rules := rank.DefaultConfig()
		rules.Diversity.QuietShare, rules.Diversity.QuietPosts = share, 1
		l := shortlist.New()
		l.Reset(len(viewer.Authors))
		view := set.View()
		since := noon.Add(-72 * time.Hour).UnixMicro()
		view.All(func(p *hot.Post) bool {
			if p.Created >= since {
				l.Add(p, reserve.Followee, viewer)
			}
			return true
		})
		view.Close()
		l.Score(&rules, noon)
		l.MarkQuiet(rules.Diversity, set, since, viewer)
		l.Diversify(rules.Diversity)
		places = map[core.ID]int{}
		for place, at := range l.Order {
			p := &l.Posts[at]
			if _, known := places[p.Author]; !known {
				places[p.Author] = place
			}
			if p.Quiet == shortlist.KeptPlace {
				kept = append(kept, p.Author)
			}
		}
		return places, kept
	}
	plain, kept := order(0)
	require.Greater(t, plain[quiet], 100, "the last but for the stranger's, who is younger")
	require.Empty(t, kept)
	places, kept := order(0.1)
	require.Equal(t, 9, places[quiet], "the tenth place is kept")
	require.Equal(t, []core.ID{quiet}, kept)
	require.Greater(t, places[stranger], 100)
}
