package hot

import (
	"runtime"
	"slices"
	"unsafe"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// index holds the posts by id, by author and by group. It is not safe for concurrent use.
type index struct {
	pages    [][]Post // of pageSize places: growing copies nothing
	free     []uint32
	used     uint32 // places handed out so far, free ones included
	byID     places
	byAuthor map[core.ID][]uint32 // oldest first
	byGroup  map[core.ID][]uint32 // likewise, of posts that are in one
	grouped  int                  // posts that are in one
	labels   *labelSets
	// dislikes of the hours of each age, of posts that have any: most apps know of none
	dislikes map[core.ID][3]int32
	// Engagement's part of a score is the same for everybody: every post has it ready, by this ranking.
	rating *rank.Versioned // nil: not kept
	enough int64           // people whose reactions are believed: see rank.Config.Enough
	rated  bool            // false: not yet of every post
}

const pageSize = 4096

func newIndex(room int, rating *rank.Versioned, labels *labelSets) *index {
	return &index{
		byID: roomFor(room), byAuthor: make(map[core.ID][]uint32, room/8), byGroup: map[core.ID][]uint32{},
		dislikes: map[core.ID][3]int32{}, labels: labels,
		rating: rating, rated: rating != nil,
	}
}

func (x *index) len() int { return x.byID.n }

func (x *index) at(place uint32) *Post { return &x.pages[place/pageSize][place%pageSize] }

// get is the post in place, or nil.
func (x *index) get(id core.ID) *Post {
	if _, place := x.byID.find(id, x); place >= 0 {
		return x.at(uint32(place))
	}
	return nil
}

// getAll appends each id's post, or nil, to dst. A look-up waits for memory twice, for the slot and for the
// post, and whether it has found is a guess that the processor gets wrong, and then begins anew. So the
// slots of all ids are touched first, and the posts before anything hangs on what is in them: it waits for
// many at a time. What a page needs of a post may lie in two cache lines: both are touched.
func (x *index) getAll(dst []*Post, ids []core.ID) []*Post {
	x.byID.touch(ids)
	at := len(dst)
	for _, id := range ids {
		var p *Post
		if place := x.byID.guess(id); place >= 0 {
			p = x.at(uint32(place))
		}
		dst = append(dst, p)
	}
	loaded := core.Audience(0)
	for i, id := range ids {
		p := dst[at+i]
		if p == nil {
			continue
		}
		loaded |= p.Audience
		if p.ID != id {
			dst[at+i] = x.get(id)
		}
	}
	runtime.KeepAlive(loaded)
	return dst
}

// rate keeps whether a post's engagement counts, and its term of engagement, in step with its counts.
func (x *index) rate(p *Post) {
	if x.rating != nil {
		p.Few = x.rating.Doubtful(p.all(), x.enough)
		p.term = x.rating.EngagementTerm(p.Day())
	}
}

// term is a post's term of engagement by a ranking.
func (x *index) term(p *Post, by *rank.Versioned) float64 {
	if x.rated && x.rating == by {
		return p.term
	}
	return by.EngagementTerm(p.Day())
}

// put adds a post, or changes it and keeps its engagement. It tells whether it may be new to some who may see it.
func (x *index) put(post *core.Post) bool {
	id, author, created := post.ID, post.AuthorID, post.CreatedAt.UnixMicro()
	labels := x.labels.number(post.Labels)
	if _, found := x.byID.find(id, x); found >= 0 {
		place := uint32(found)
		p := x.at(place)
		same := post.Audience == p.Audience && post.Group == p.Group && labels == p.Labels
		p.Audience, p.Labels = post.Audience, labels
		if p.Author != author || p.Created != created || p.Group != post.Group {
			x.unlink(place)
			p.Author, p.Created, p.Group = author, created, post.Group
			x.link(place)
		}
		return !same
	}
	place := x.take()
	p := x.at(place)
	*p = Post{
		ID: id, Author: author, Created: created, Audience: post.Audience, Group: post.Group, Labels: labels,
	}
	x.rate(p)
	x.byID.add(id, place, x)
	x.link(place)
	return true
}

// delete removes a post and tells whether it was there.
func (x *index) delete(id core.ID) bool {
	slot, found := x.byID.find(id, x)
	if found < 0 {
		return false
	}
	place := uint32(found)
	x.unlink(place)
	x.byID.remove(slot, x)
	*x.at(place) = Post{}
	delete(x.dislikes, id)
	x.free = append(x.free, place)
	return true
}

func (x *index) take() uint32 {
	if n := len(x.free); n > 0 {
		place := x.free[n-1]
		x.free = x.free[:n-1]
		return place
	}
	if int(x.used) == len(x.pages)*pageSize {
		x.pages = append(x.pages, make([]Post, pageSize))
	}
	x.used++
	return x.used - 1
}

func (x *index) link(place uint32) {
	p := x.at(place)
	x.chain(x.byAuthor, p.Author, place)
	if p.Group.Valid() {
		x.chain(x.byGroup, p.Group, place)
		x.grouped++
	}
}

func (x *index) unlink(place uint32) {
	p := x.at(place)
	unchain(x.byAuthor, p.Author, place)
	if p.Group.Valid() {
		unchain(x.byGroup, p.Group, place)
		x.grouped--
	}
}

// chain puts a post among those of an author or a group, by its time.
func (x *index) chain(of map[core.ID][]uint32, key core.ID, place uint32) {
	p, posts := x.at(place), of[key]
	at := len(posts)
	for at > 0 && p.before(x.at(posts[at-1])) { // nearly always the newest
		at--
	}
	of[key] = slices.Insert(posts, at, place)
}

func unchain(of map[core.ID][]uint32, key core.ID, place uint32) {
	posts := of[key]
	if i := slices.Index(posts, place); i >= 0 {
		posts = slices.Delete(posts, i, i+1)
	}
	if len(posts) == 0 {
		delete(of, key)
		return
	}
	of[key] = posts
}

// bytes estimates the memory: posts, slots, and what an author or a group needs.
func (x *index) bytes() int64 {
	const slot, perPost, perAuthor = 8, 8, 64
	return int64(len(x.pages))*pageSize*int64(unsafe.Sizeof(Post{})) +
		int64(len(x.byID.slots))*slot + int64(x.len()+x.grouped)*perPost +
		int64(len(x.byAuthor)+len(x.byGroup))*perAuthor
}
