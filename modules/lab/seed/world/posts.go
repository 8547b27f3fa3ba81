package world

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

// posts are all posts in the order of their times: 16 bytes each, so that a session can look up who
// wrote what when.
type posts struct {
	author  []uint32
	at      []int64  // milliseconds since 1970
	starts  []uint32 // starts[u] to starts[u+1] in written are u's posts
	written []uint32
}

func makePosts(opts Options, start time.Time, authors *random.Table) posts {
	p := posts{
		author: make([]uint32, 0, opts.Posts), at: make([]int64, 0, opts.Posts),
		starts: make([]uint32, authors.Len()+1), written: make([]uint32, opts.Posts),
	}
	rng := random.New(opts.Seed, "posts", 0)
	days := newRhythm(start, opts.Now)
	for i := range days.share {
		from := start.Add(time.Duration(i) * slot)
		length := min(slot, opts.Now.Sub(from)).Milliseconds()
		first := len(p.at)
		for range days.upTo(i, opts.Posts) - first {
			p.author = append(p.author, authors.Draw(rng))
			p.at = append(p.at, from.UnixMilli()+rng.Int64N(length))
		}
		slices.Sort(p.at[first:])
	}
	for _, u := range p.author {
		p.starts[u+1]++
	}
	for u := 1; u < len(p.starts); u++ {
		p.starts[u] += p.starts[u-1]
	}
	next := slices.Clone(p.starts)
	for i, u := range p.author {
		p.written[next[u]] = uint32(i)
		next[u]++
	}
	return p
}

// by are the posts of an author, oldest first.
func (p *posts) by(author uint32) []uint32 { return p.written[p.starts[author]:p.starts[author+1]] }

// Posts are all posts, oldest first.
func (w *World) Posts() iter.Seq[Post] {
	return func(yield func(Post) bool) {
		for i, author := range w.posts.author {
			rng := random.New(w.opts.Seed, "bodies", uint64(i))
			post := Post{
				ID: postID(uint32(i)), AuthorID: userID(author), Body: Body(rng), Status: "published",
				CreatedAt: time.UnixMilli(w.posts.at[i]).UTC(),
			}
			switch w.fate(uint32(i)) {
			case deleted:
				at := post.CreatedAt.Add(time.Duration(rng.Float64() *
					float64(w.opts.Now.Sub(post.CreatedAt)))).Truncate(time.Millisecond)
				post.DeletedAt = &at
			case draft:
				post.Status = "draft"
			case public:
			}
			if !yield(post) {
				return
			}
		}
	}
}

// fate is what became of a post. Of a hundred, one is deleted, and of two hundred, one is a draft.
type fate uint8

const (
	public fate = iota
	deleted
	draft
)

func (w *World) fate(post uint32) fate {
	switch n := random.Mix(w.opts.Seed^uint64(post)<<20^0xfa7e) % 200; {
	case n < 2:
		return deleted
	case n < 3:
		return draft
	default:
		return public
	}
}

// quality is how much a post is liked, whoever sees it: around one half for most, up to 5 for a few.
func (w *World) quality(post uint32) float64 {
	u := float64(random.Mix(w.opts.Seed^uint64(post)<<20^0x90a1)>>11) / (1 << 53)
	return min(5, 0.35/math.Sqrt(1-u))
}

func postID(p uint32) core.ID { return core.ID(p) + 1 }
