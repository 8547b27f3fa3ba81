package world

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

// maxPostAge is how old a post is at most when somebody looks at it.
const maxPostAge = 72 * time.Hour

// choose finds a post that the viewer looks at: mostly of the authors they care for, now and then of
// anybody they follow, and else what is popular. favourite tells whether it is the first.
func (s *stream) choose(viewer uint32, at int64) (post uint32, favourite, ok bool) {
	for range 4 {
		switch followees, r := s.w.graph.Followees(viewer), s.rng.Float64(); {
		case r < 0.6:
			post, ok = s.of(s.favourite(viewer, followees), at)
			favourite = true
		case r < 0.75 && len(followees) > 0:
			post, ok = s.of(followees[s.rng.IntN(len(followees))], at)
			favourite = false
		default:
			post, ok = s.popular(at)
			favourite = false
		}
		if ok && s.mayLookAt(viewer, post) {
			return post, favourite, true
		}
	}
	return 0, false, false
}

// favourite draws one of the authors that a viewer cares for: the first of those they follow, the
// earlier the more; for who follows nobody, a few of the popular.
func (s *stream) favourite(viewer uint32, followees []uint32) uint32 {
	const most = 12
	u := s.rng.Float64()
	if n := min(most, len(followees)); n > 0 {
		return followees[int(u*u*float64(n))]
	}
	const strangers = 3
	return s.w.stars.Draw(random.New(s.w.opts.Seed, "taste", uint64(viewer)<<2|uint64(u*strangers)))
}

// of is a recent post of an author.
func (s *stream) of(author uint32, at int64) (uint32, bool) {
	written := s.w.posts.by(author)
	n := sort.Search(len(written), func(i int) bool { return s.w.posts.at[written[i]] > at })
	if n == 0 {
		return 0, false
	}
	post := written[max(0, n-1-random.Geometric(s.rng, 0.7, 50))]
	return post, at-s.w.posts.at[post] < maxPostAge.Milliseconds()
}

// popular is the best of six posts of the last day: a few posts are seen by many.
func (s *stream) popular(at int64) (best uint32, ok bool) {
	times := s.w.posts.at
	from, _ := slices.BinarySearch(times, at-24*time.Hour.Milliseconds())
	to, _ := slices.BinarySearch(times, at)
	if from == to {
		return 0, false
	}
	quality := math.Inf(-1)
	for range 6 {
		post := uint32(from + s.rng.IntN(to-from))
		if q := s.w.quality(post); q > quality {
			best, quality = post, q
		}
	}
	return best, true
}

func (s *stream) mayLookAt(viewer, post uint32) bool {
	return !slices.Contains(s.seen, post) && s.w.fate(post) == public && !s.w.bars(viewer, s.w.posts.author[post])
}
