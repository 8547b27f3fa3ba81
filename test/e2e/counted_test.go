package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

// TestALikeCountsFromTheSourceThatIsSet has a like arrive both ways, as an event and as a row of the app's
// table, while that table is what counts: the row alone decides, when it comes and when it goes.
func TestALikeCountsFromTheSourceThatIsSet(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Engagement = core.CountedFrom{Likes: "cdc", Comments: "events"}
	p := start(t, cfg)
	world(t, s)
	var first page
	p.eventually("the seeded posts reach the feed", func() bool {
		_, first = p.feed(viewer, "limit=50&explain=true")
		return len(first.Items) >= 30
	})
	liked := first.Items[0]
	shows := func(likes int) func() bool {
		return func() bool {
			_, now := p.feed(viewer, "limit=50&explain=true")
			return now.likes(liked.Post) == likes
		}
	}
	p.likeSeen(liked.Post, liked.Author)
	p.act(viewer+1, "like", liked.Post, liked.Author)
	p.eventually("both events are applied",
		func() bool { return s.Count(t, "SELECT toUInt64(sum(likes)) AS n FROM post_metrics_1h") == 2 })
	exec(t, s, `INSERT INTO likes (user_id, post_id) VALUES ($1, $2)`, int64(viewer), int64(liked.Post))
	p.eventually("the row counts, the events do not", shows(1))
	exec(t, s, `DELETE FROM likes`)
	p.eventually("and it counts no more when it is gone", shows(0))
	require.EqualValues(t, 2, s.Count(t, "SELECT toUInt64(sum(likes)) AS n FROM post_metrics_1h"))
}
