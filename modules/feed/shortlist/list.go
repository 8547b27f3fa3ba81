package shortlist

import (
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Post is a post on the list.
type Post struct {
	ID           core.ID
	Author       core.ID
	Created      int64 // microseconds since 1970
	Engagement   core.Engagement
	Terms        rank.Terms
	Score        float64
	Interactions float64
	AuthorAt     int32 // numbers the authors of this list, for diversity
	Before       int32 // the place by score alone, from 0
	Source       reserve.Source
	Relaxed      uint8 // how far the rules of diversity gave way for it
	Rated        bool  // Terms.Engagement is there: the hot set keeps it
	Fresh        bool  // came in when the page was made
	Quiet        Quiet
	Suppressed   bool // its engagement does not count: of one account, or a few
	Moved        bool // a post before it waits, for variety around what is missing
	Repeated     bool // was seen before; nothing else is left
}

// Quiet says whether a post is of somebody whom the viewer follows and who posts seldom.
type Quiet uint8

// Quiet posts may stand before better ones, at a place that is kept for them.
const (
	NotQuiet Quiet = iota
	IsQuiet
	KeptPlace
)

// List is the posts of one ranking and their order. It is not safe for concurrent use.
type List struct {
	Posts []Post
	Order []int32 // indexes of Posts, best first

	ids         []core.ID // of the first of Posts: see Has
	kept        []Post
	keys        []uint64  // what Order is sorted by
	sorting     []uint64  // the same, half-way
	affinity    []float64 // the term of each author
	authors     []int32
	quiet       []bool
	diversified []int32
	diversifier *rank.Diversifier
	extra       map[core.ID]int32 // authors that the reserve does not know, numbered after its own
	authorCount int
}

// New makes an empty list.
func New() *List { return &List{extra: map[core.ID]int32{}} }

// Reset begins a new list; known is the number of authors that the reserve knows.
func (l *List) Reset(known int) {
	l.Posts, l.Order, l.ids = l.Posts[:0], l.Order[:0], l.ids[:0]
	l.authorCount = known
	clear(l.extra)
}

// IDs are the posts of the list, best first.
func (l *List) IDs() []core.ID {
	ids := make([]core.ID, len(l.Order))
	for place, i := range l.Order {
		ids[place] = l.Posts[i].ID
	}
	return ids
}
