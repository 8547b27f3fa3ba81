package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// WhyNot says what became of one post on its way to one user's first page.
type WhyNot struct {
	User    core.ID `json:"user"`
	Post    core.ID `json:"post"`
	Verdict string  `json:"verdict"`         // dropped, ranked (below the page) or shown
	Stage   string  `json:"stage"`           // where it was dropped, or "page"
	Rule    string  `json:"rule"`            // what dropped it: a stable word
	Detail  string  `json:"detail"`          // a sentence for people
	Place   int     `json:"place,omitempty"` // from 1, of a post that is ranked or shown
	Score   float64 `json:"score,omitempty"` //
	Lacks   float64 `json:"lacks,omitempty"` // by how much the last post of the page scores higher
	Source  string  `json:"source,omitempty"`
	Ranking uint64  `json:"ranking_version"`

	Explain json.RawMessage `json:"explain,omitempty"` // of a post that is ranked or shown: as an item's, see appendExplain
}

// dropped is a verdict of a stage.
func (w WhyNot) dropped(stage, rule, format string, args ...any) WhyNot {
	w.Verdict, w.Stage, w.Rule, w.Detail = "dropped", stage, rule, fmt.Sprintf(format, args...)
	return w
}

// whyNot runs the real path for a user, without the cache and without side effects, and follows one
// post through it.
func (f *Feed) whyNot(ctx context.Context, user, post core.ID, limit int) (WhyNot, error) {
	r := f.take(Query{User: user, Algo: cursor.Ranked, Limit: limit, Explain: true})
	defer f.give(r)
	out := WhyNot{User: user, Post: post, Ranking: r.ranking.Version}
	result, err := f.tryOut(ctx, r)
	if err != nil {
		return out, err
	}
	set := r.hot.View()
	p, visible := set.Post(post)
	set.Close()
	if !visible {
		return f.whyInvisible(ctx, out)
	}
	f.firstPage(ctx, r)
	if verdict, ranked := r.whereRanked(out); ranked {
		return verdict, nil
	}
	if verdict, barred := f.whyBarred(r, out, r.reserve.Author(p.Author)); barred {
		return verdict, nil
	}
	if !slices.ContainsFunc(r.reserve.Candidates, func(c reserve.Candidate) bool { return c.Post == post }) {
		return f.whyNoCandidate(out, &p, result), nil
	}
	return out.dropped("page", "changed", "the post was dropped while this was looked into; ask again"), nil
}

// whereRanked finds the post in the order that the page was cut from: the reserve's posts, and those that
// fill up a page that would be short.
func (r *request) whereRanked(out WhyNot) (WhyNot, bool) {
	place := slices.IndexFunc(r.work.order, func(i int32) bool { return r.work.posts[i].post == out.Post })
	if place < 0 {
		return out, false
	}
	s := &r.work.posts[r.work.order[place]]
	out.Place, out.Score, out.Source = place+1, s.score, s.source.String()
	out.Explain = appendExplain(nil, s, r, place)
	out.Verdict, out.Stage, out.Rule, out.Detail = "shown", "page", "shown", fmt.Sprintf("place %d of the first page", place+1)
	if place >= r.Limit {
		out.Verdict, out.Rule = "ranked", "below_page"
		out.Lacks = r.work.posts[r.page[len(r.page)-1]].score - s.score
		out.Detail = fmt.Sprintf("place %d of %d by score %.4f; the page ends at %d (by score alone it would be at %d)", place+1, len(r.work.order), s.score, r.Limit, s.before+1)
	}
	return out, true
}

// whyInvisible tells a post that is gone from one that is too old.
func (f *Feed) whyInvisible(ctx context.Context, out WhyNot) (WhyNot, error) {
	var posts []core.Post
	err := f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		posts, err = f.fallback.Posts(ctx, []core.ID{out.Post})
		return err
	})
	switch {
	case err != nil:
		return out, core.Unavailable("PostgreSQL", time.Second, err)
	case len(posts) == 0:
		return out.dropped("filters", "not_visible", "the post does not exist, is deleted, or its status hides it"), nil
	case f.clock.Now().Sub(posts[0].CreatedAt) > f.cfg.Hot.Window:
		return out.dropped("sources", "too_old", "the post is from %s; candidates are at most %s old", posts[0].CreatedAt.Format(time.RFC3339), f.cfg.Hot.Window), nil
	default:
		return out.dropped("sources", "not_arrived", "the app's database has the post, the hot set not yet: look at the lag of CDC"), nil
	}
}

func (f *Feed) whyBarred(r *request, out WhyNot, author reserve.Author) (WhyNot, bool) {
	switch rel := author.Relation; {
	case author.ID == r.User:
		return out.dropped("filters", "own", "one's own posts are not in one's feed"), true
	case rel&reserve.Blocks != 0:
		return out.dropped("filters", "blocked", "the user blocks author %s", author.ID), true
	case rel&reserve.BlockedBy != 0:
		return out.dropped("filters", "blocked_by", "author %s blocks the user", author.ID), true
	case rel&reserve.Mutes != 0:
		return out.dropped("filters", "muted", "the user mutes author %s", author.ID), true
	case r.marks.hidden.Has(out.Post):
		return out.dropped("filters", "hidden", "the user hid the post, or was not interested in it"), true
	case r.marks.seen.Has(out.Post):
		return out.dropped("filters", "seen", "the user saw the post in the last %s", f.cfg.Store.SeenFor), true
	}
	return out, false
}

// whyNoCandidate says what kept the sources from offering the post, or the reserve from keeping it.
func (f *Feed) whyNoCandidate(out WhyNot, p *hot.Post, result *computed) WhyNot {
	if place := slices.Index(result.trace.order, p.ID); place >= 0 {
		out.Place = place + 1
		return out.dropped("reserve", "reserve_full", "place %d of %d candidates; the reserve keeps %d", place+1, len(result.trace.order), f.cfg.ReserveSize)
	}
	author := result.reserve.Author(p.Author)
	now := f.clock.Now()
	switch {
	case p.Age(now) > f.cfg.Hot.Window:
		return out.dropped("sources", "too_old", "the post is %s old; candidates are at most %s old", p.Age(now).Round(time.Minute), f.cfg.Hot.Window)
	case author.Relation&reserve.Follows != 0:
		return out.dropped("sources", "source_full", "followees: at most %d posts of an author, %d in all, the latest", f.cfg.Sources.Followees.PerAuthor, f.cfg.Sources.Followees.Limit)
	case author.Affinity() > 0:
		return out.dropped("sources", "source_full", "affinity: at most %d posts of an author, %d in all", f.cfg.Sources.Affinity.PerAuthor, f.cfg.Sources.Affinity.Limit)
	default:
		return out.dropped("sources", "no_source", "the user does not follow author %s and has no affinity with them, and the post is not among the %d trending", p.Author, f.cfg.Sources.Trending.Limit)
	}
}
