package hot

import (
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// index holds the posts by id and by author. It is not safe for concurrent use.
type index struct {
	pages    [][]Post // of pageSize places: growing copies nothing
	free     []uint32
	used     uint32 // places handed out so far, free ones included
	byID     map[core.ID]uint32
	byAuthor map[core.ID][]uint32 // oldest first
}

const pageSize = 4096

func newIndex(room int) *index {
	return &index{byID: make(map[core.ID]uint32, room), byAuthor: make(map[core.ID][]uint32, room/8)}
}

func (x *index) len() int { return len(x.byID) }

func (x *index) at(place uint32) *Post { return &x.pages[place/pageSize][place%pageSize] }

// get is the post in place, or nil.
func (x *index) get(id core.ID) *Post {
	if place, ok := x.byID[id]; ok {
		return x.at(place)
	}
	return nil
}

// put adds a post, or changes it and keeps its engagement. It tells whether it is new.
func (x *index) put(id, author core.ID, created int64) bool {
	if place, ok := x.byID[id]; ok {
		p := x.at(place)
		if p.Author != author || p.Created != created {
			x.unlink(place)
			p.Author, p.Created = author, created
			x.link(place)
		}
		return false
	}
	place := x.take()
	*x.at(place) = Post{ID: id, Author: author, Created: created}
	x.byID[id] = place
	x.link(place)
	return true
}

// delete removes a post and tells whether it was there.
func (x *index) delete(id core.ID) bool {
	place, ok := x.byID[id]
	if !ok {
		return false
	}
	x.unlink(place)
	delete(x.byID, id)
	*x.at(place) = Post{}
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
	posts := x.byAuthor[p.Author]
	at := len(posts)
	for at > 0 && p.before(x.at(posts[at-1])) { // nearly always the newest
		at--
	}
	x.byAuthor[p.Author] = slices.Insert(posts, at, place)
}

func (x *index) unlink(place uint32) {
	author := x.at(place).Author
	posts := x.byAuthor[author]
	if i := slices.Index(posts, place); i >= 0 {
		posts = slices.Delete(posts, i, i+1)
	}
	if len(posts) == 0 {
		delete(x.byAuthor, author)
		return
	}
	x.byAuthor[author] = posts
}

// bytes estimates the memory: places, and what the two maps need for a post and an author.
func (x *index) bytes() int64 {
	const post, perID, perPost, perAuthor = 80, 24, 8, 64
	return int64(len(x.pages))*pageSize*post + int64(len(x.byID))*(perID+perPost) + int64(len(x.byAuthor))*perAuthor
}
