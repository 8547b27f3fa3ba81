package feed_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

// Where posts leave a session, the rest is varied again: a rule gives way only where no post that is left would break
// a lesser one. Nothing comes twice, and what stands is not skipped.
func TestASessionStaysVariedWhilePostsLeaveIt(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t, 40, func(c *feed.Config) { c.Sources.Followees.PerAuthor = 200 })
		for author := 2; author < 8+int(seed)*8; author++ {
			w.follow(1, author)
		}
		authors := map[core.ID]int{}
		stands := map[core.ID]bool{}
		for i := range 160 {
			author := 2 + random.IntN(6+int(seed)*8)
			id := w.post(1000+i, author, time.Duration(random.IntN(40*60))*time.Minute)
			authors[id], stands[id] = author, true
		}
		w.load()
		limit := []string{"limit=10", "limit=3", "limit=25", "limit=7"}[seed]
		p := w.cached(1, limit+"&explain=true")
		var placed []ranked
		for {
			for _, item := range p.Items {
				require.True(t, stands[item.Post], "post %s is gone, or comes twice", item.Post)
				author := authors[item.Post]
				broken, least := violation(placed, author), 99
				for other := range stands {
					least = min(least, violation(placed, authors[other]))
				}
				require.Equal(t, least, broken, "place %d: post %s", len(placed)+1, item.Post)
				relaxed := strings.Contains(strings.Join(item.Explain.Adjustments, ";"), "diversity relaxed")
				require.Equal(t, broken > 0, relaxed, "place %d: %v", len(placed)+1, item.Explain.Adjustments)
				placed = append(placed, ranked{author: author})
				require.Equal(t, len(placed), item.Explain.Position.After)
				delete(stands, item.Post)
			}
			if p.NextCursor == nil {
				break
			}
			left := make([]core.ID, 0, len(stands))
			for id := range stands {
				left = append(left, id)
			}
			slices.Sort(left)
			for _, id := range left {
				switch random.IntN(12) {
				case 0:
					w.deletePost(int(id))
					delete(stands, id)
				case 1:
					w.event(1, core.ActionHide, id)
					delete(stands, id)
				}
			}
			next := limit + "&explain=true&" + p.next()
			again := w.get(1, next)
			p = w.get(1, next)
			require.Equal(t, again.posts(), p.posts(), "a page that is fetched twice is the same")
		}
		require.Empty(t, stands, "skipped")
	}
}
