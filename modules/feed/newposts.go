package feed

import (
	"context"
	"iter"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// MaxNewPosts is how far new posts are counted: more is "more".
const MaxNewPosts = 99

// CountForStream is the number of posts since a moment that a viewer may see, and whom and which groups they
// follow. again says that it
// is for a stream that is open: then nothing is computed, and what Redis does not tell is an error.
func (f *Feed) CountForStream(ctx context.Context, viewer core.ID, since time.Time, again bool) (
	n int, follows []core.ID, err error,
) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Budget)
	defer cancel()
	r := f.take(Query{User: viewer, Order: cursor.Ranked, Since: since})
	defer f.give(r)
	r.write = func(*page.Page) error { return nil }
	way := f.ways.newPosts
	if again {
		way = f.ways.newPostsAgain
	}
	if err := way.Run(ctx, r, &r.Stages); err != nil {
		return 0, nil, err
	}
	if r.ServedFrom == page.FromTrending { // nobody can say whom they follow
		return 0, nil, core.Unavailable("the graph", 5*time.Second, nil)
	}
	for _, a := range r.reserve.Authors {
		if a.Relation&reserve.Follows != 0 || f.inGroup(r.reserve, a.ID) {
			follows = append(follows, a.ID)
		}
	}
	return r.NewPosts, follows, nil
}

// Overloaded tells whether what nobody waits for should not begin.
func (f *Feed) Overloaded() bool { return f.guards.Limiter.Overloaded() }

// BeganAt is when the session of a cursor began: what came since is new to who has its pages.
func (f *Feed) BeganAt(user core.ID, text string) (time.Time, error) {
	session, err := f.cursors.Decode(user, text)
	return session.StartedAt, err
}

// resolveAgain finds the reserve of a viewer who was answered a while ago: their entry, however old, with what they
// changed since. Of the reserve only the graph is used, which does not grow old.
func (f *Feed) resolveAgain(ctx context.Context, r *request) error {
	if r.Degraded {
		return core.Unavailable("redis", time.Second, nil)
	}
	if !r.entry.HasBody {
		return f.resolve(ctx, r)
	}
	r.entry.Reserve.Apply(r.entry.Patches, r.Ranking.Affinity.Hide)
	f.use(r, &r.entry.Reserve, page.FromCache)
	return nil
}

// countNewPosts counts the posts of followees and in the viewer's groups that were made after a time and that the
// viewer may see: the "new posts" pill. It computes no page; a viewer of whom nothing is cached is hydrated first.
func (f *Feed) countNewPosts(_ context.Context, r *request) error {
	after, count := r.Since.UnixMicro(), 0
	set := r.hot.View()
	defer set.Close()
	for posts := range f.followed(r, set) {
		for p, author := range posts {
			if p.Created <= after || count > MaxNewPosts {
				break
			}
			if !r.rejects(filters.Ranked, p, author) {
				count++
			}
		}
	}
	r.NewPosts = count
	return nil
}

// followed are the posts of each whom the viewer follows and in each of their groups, the newest first. A post comes
// once: those of followees do not come again in a group.
func (f *Feed) followed(r *request, set hot.View) iter.Seq[iter.Seq2[*hot.Post, reserve.Author]] {
	return func(yield func(iter.Seq2[*hot.Post, reserve.Author]) bool) {
		for _, a := range r.reserve.Authors {
			if a.Relation&reserve.Follows != 0 && r.viewer.RejectAuthor(a) == nil && !yield(ofAuthor(set, a)) {
				return
			}
			if f.inGroup(r.reserve, a.ID) && !yield(ofStrangers(set, a.ID, r.reserve)) {
				return
			}
		}
	}
}

func ofAuthor(set hot.View, author reserve.Author) iter.Seq2[*hot.Post, reserve.Author] {
	return func(yield func(*hot.Post, reserve.Author) bool) {
		set.ByAuthor(author.ID, func(p *hot.Post) bool { return yield(p, author) })
	}
}

// ofStrangers are the posts in a group by those whom the viewer does not follow.
func ofStrangers(set hot.View, group core.ID, viewer *reserve.Reserve) iter.Seq2[*hot.Post, reserve.Author] {
	return func(yield func(*hot.Post, reserve.Author) bool) {
		set.ByGroup(group, func(p *hot.Post) bool {
			author := viewer.Author(p.Author)
			return author.Relation&reserve.Follows != 0 || yield(p, author)
		})
	}
}
