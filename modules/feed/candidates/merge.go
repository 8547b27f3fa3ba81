package candidates

import (
	"cmp"
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// mergeSources puts each post in once, and popular ones where these are few.
func (b *Builder) mergeSources(ctx context.Context, c *computation) error {
	c.merged = merge(c.reserve, c.fetched)
	if missing := b.cfg.Sources.Popular.Limit - len(c.merged); missing > 0 {
		b.gather(ctx, c, []source{b.filler()})
		popular := &c.fetched[len(c.fetched)-1]
		popular.posts = popular.posts[:min(missing, len(popular.posts))]
		c.merged = merge(c.reserve, c.fetched)
	}
	return nil
}

// merged is a post once, with every source that offered it.
type merged struct {
	post   hot.Post
	author int32
	source reserve.Source
}

// merge puts each post in once and makes sure that every author is among the reserve's.
func merge(r *reserve.Reserve, all []fetched) []merged {
	n := 0
	for _, one := range all {
		n += len(one.posts)
	}
	posts, places := make([]merged, 0, n), make(map[core.ID]int32, n)
	for _, one := range all {
		for _, p := range one.posts {
			if at, ok := places[p.ID]; ok {
				posts[at].source |= one.source.bit
				continue
			}
			places[p.ID] = int32(len(posts))
			posts = append(posts, merged{post: p, source: one.source.bit})
		}
	}
	addAuthors(r, posts)
	for i := range posts {
		at, _ := r.Find(posts[i].post.Author)
		posts[i].author = int32(at)
	}
	return posts
}

func addAuthors(r *reserve.Reserve, posts []merged) {
	known := len(r.Authors)
	for i := range posts {
		id := posts[i].post.Author
		if _, ok := slices.BinarySearchFunc(r.Authors[:known], id, byID); !ok {
			r.Authors = append(r.Authors, reserve.Author{ID: id})
		}
	}
	r.Authors = normalize(r.Authors)
}

func byID(a reserve.Author, id core.ID) int { return cmp.Compare(a.ID, id) }

// normalize sorts authors by id and puts what is said of one author together.
func normalize(authors []reserve.Author) []reserve.Author {
	slices.SortStableFunc(authors, func(a, b reserve.Author) int { return cmp.Compare(a.ID, b.ID) })
	out := authors[:0]
	for _, a := range authors {
		if n := len(out); n > 0 && out[n-1].ID == a.ID {
			out[n-1].Relation |= a.Relation
			out[n-1].Interactions += a.Interactions
			continue
		}
		if a.ID.Valid() {
			out = append(out, a)
		}
	}
	for i := range out {
		if out[i].Relation&reserve.Follows != 0 { // of several rows, one that stands is enough
			out[i].Relation &^= reserve.Unfollowed
		}
	}
	return out
}
