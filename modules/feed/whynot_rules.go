package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// whereRanked finds the post in the order that the page was cut from: the reserve's posts, and those that
// fill up a page that would be short.
func (r *request) whereRanked(out WhyNot) (WhyNot, bool) {
	place := slices.IndexFunc(r.list.Order, func(i int32) bool { return r.list.Posts[i].ID == out.Post })
	if place < 0 {
		return out, false
	}
	s := &r.list.Posts[r.list.Order[place]]
	out.Place, out.Score, out.Source = place+1, s.Score, s.Source.String()
	out.Explain = page.AppendExplain(nil, s, &r.Page, place)
	out.Verdict, out.Stage, out.Rule, out.Detail = "shown", "page", "shown",
		fmt.Sprintf("place %d of the first page", place+1)
	if place >= r.Limit {
		out.Verdict, out.Rule = "ranked", "below_page"
		out.Lacks = r.Items[len(r.Items)-1].Score - s.Score
		out.Detail = fmt.Sprintf("place %d of %d by score %.4f; the page ends at %d (by score alone it would be at %d)",
			place+1, len(r.list.Order), s.Score, r.Limit, s.Before+1)
	}
	return out, true
}

// whyInvisible tells a post that is gone from one that is too old.
func (f *Feed) whyInvisible(ctx context.Context, r *request, out WhyNot) (WhyNot, error) {
	var posts []core.Post
	err := f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		posts, err = f.fallback.Posts(ctx, []core.ID{out.Post})
		return err
	})
	switch {
	case err != nil:
		return out, core.Unavailable("PostgreSQL", time.Second, err)
	case len(posts) == 0:
		gone := filters.Post{ID: out.Post, Gone: true}
		return out.rejected(r.viewer.Reject(filters.Ranked, gone), &r.viewer, gone.Author), nil
	case posts[0].Audience == core.Direct: // is not in the hot set
		out.Author = posts[0].AuthorID
		author := r.reserve.Author(out.Author)
		asked := filters.Post{ID: out.Post, Author: author, Audience: core.Direct}
		return out.rejected(r.viewer.Reject(filters.Ranked, asked), &r.viewer, author), nil
	case f.clock.Now().Sub(posts[0].CreatedAt) > f.cfg.Hot.Window:
		return out.dropped("sources", "too_old", "the post is from %s; candidates are at most %s old",
			posts[0].CreatedAt.Format(time.RFC3339), f.cfg.Hot.Window), nil
	default:
		return out.dropped("sources", "not_arrived",
			"the app's database has the post, the hot set not yet: look at the lag of CDC"), nil
	}
}

// whyNoCandidate says what kept the sources from offering the post, or the reserve from keeping it.
func (f *Feed) whyNoCandidate(out WhyNot, p *hot.Post, built *candidates.Built) WhyNot {
	if place := slices.Index(built.Order, p.ID); place >= 0 {
		out.Place = place + 1
		return out.dropped("reserve", "reserve_full", "place %d of %d candidates; the reserve keeps %d", place+1,
			len(built.Order), f.cfg.ReserveSize)
	}
	author := built.Reserve.Author(p.Author)
	now := f.clock.Now()
	switch {
	case p.Age(now) > f.cfg.Hot.Window:
		return out.dropped("sources", "too_old", "the post is %s old; candidates are at most %s old",
			p.Age(now).Round(time.Minute), f.cfg.Hot.Window)
	case author.Relation&reserve.Follows != 0:
		return out.dropped("sources", "source_full", "followees: at most %d posts of an author, %d in all, the latest",
			f.cfg.Sources.Followees.PerAuthor, f.cfg.Sources.Followees.Limit)
	case author.Affinity() > 0:
		return out.dropped("sources", "source_full", "affinity: at most %d posts of an author, %d in all",
			f.cfg.Sources.Affinity.PerAuthor, f.cfg.Sources.Affinity.Limit)
	case f.inGroup(built.Reserve, p.Group):
		return out.dropped("sources", "source_full", "groups: at most %d posts of a group, %d in all, the latest",
			f.cfg.Sources.Groups.PerAuthor, f.cfg.Sources.Groups.Limit)
	default:
		return out.dropped("sources", "no_source", "the user does not follow author %s and has no affinity with them, "+
			"is in no group with the post, and it is not among the %d trending", p.Author, f.cfg.Sources.Trending.Limit)
	}
}
