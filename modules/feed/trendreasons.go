package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// TrendReasons are why posts trend, and why others do not.
type TrendReasons struct {
	PeopleNeeded int64         // whose reactions it takes in a day
	Items        []TrendReason // the list of a window, best first
	LeftOut      []TrendReason // what would be high in it, best first
}

// TrendReason is what people did with a post.
type TrendReason struct {
	Post, Author core.ID
	CreatedAt    time.Time
	Score        float64
	Did          *core.Engagement // in the last hour, or day; nil: it is older than what replicas count
	People       int64            // at least so many people did it
	Why          hot.Doubt        // of one that is left out
}

// TrendReasons tells what is behind a list of trending posts, and what was left out of it. Of the list of a week it
// tells what was done in the last day.
func (f *Feed) TrendReasons(ctx context.Context, window string, limit int) (TrendReasons, error) {
	r := f.take(Query{Order: cursor.Ranked, Limit: limit, Window: window})
	defer f.give(r)
	list := f.trendingList(ctx, r, window)
	hour := window == published.Hour
	left, people := f.hot.LeftOut(hour, limit)
	out := TrendReasons{PeopleNeeded: people}
	set := f.hot.View()
	for i := range list[:min(limit, len(list))] {
		one := list[i]
		p, there := set.Post(one.Post.ID)
		if there {
			one.Post = p
		}
		reason := reasonOf(one)
		if there {
			reason.done(r.Ranking, set.Done(&p, hour, r.Now))
		}
		out.Items = append(out.Items, reason)
	}
	set.Close()
	for _, one := range left {
		reason := reasonOf(one.Ranked)
		reason.done(r.Ranking, one.Did)
		reason.Why = one.Why
		out.LeftOut = append(out.LeftOut, reason)
	}
	return out, nil
}

func reasonOf(one hot.Ranked) TrendReason {
	p := &one.Post
	return TrendReason{
		Post: p.ID, Author: p.Author, CreatedAt: time.UnixMicro(p.Created).UTC(), Score: one.Value,
	}
}

// done tells what people did with the post.
func (t *TrendReason) done(ranking *rank.Versioned, did core.Engagement) {
	t.Did, t.People = &did, ranking.People(did)
}
