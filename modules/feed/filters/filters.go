package filters

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Filter leaves posts out. One of the nine ways says which; the first six cost a page hardly anything.
type Filter struct {
	Name     string                                        // a stable word: the rule of why-not, and the metric's label
	Relation reserve.Relation                              // all posts of authors who are one of these to the viewer
	Own      bool                                          // the viewer's own posts
	Gone     bool                                          // posts that are not there any more
	Ahead    bool                                          // posts whose time has not come
	Audience bool                                          // posts that are not for the viewer
	Labels   bool                                          // posts by their labels
	Posts    func(v *Viewer) *idset.Set                    // these posts
	Author   func(v *Viewer, author reserve.Author) bool   // all posts of some authors
	Post     func(v *Viewer, p Post) bool                  // some posts
	Kinds    []Kind                                        // of those by post: the lists that it holds for; none: all
	Detail   func(v *Viewer, author reserve.Author) string // why, in a sentence for people

	at int // in the list
}

// Post is what a filter is asked about.
type Post struct {
	ID     core.ID
	Author reserve.Author // as the viewer relates to them
	Gone   bool           // it was looked for where the visible posts are, and is not there
	// Created is when it was made, in microseconds since 1970; zero: that is not known, and has passed.
	Created int64
	// Audience is who may see it, by itself; its author's account may be private.
	Audience core.Audience
	Member   bool // it is for the members of its group, and the viewer is one
	// Labels are those that it has, and InGroup tells of one with labels whether the viewer is in its group.
	Labels  core.Labels
	InGroup bool
	// Unlabelled says that its labels are not known yet: it is asked about once more when they are.
	Unlabelled bool
}

// Kind is what kind of list a post is to be put into.
type Kind uint8

// The kinds.
const (
	Ranked    Kind = iota // what is best for the viewer now: every filter holds
	Remade                // an order that was lost: as Ranked, for a session that has given out posts
	Complete              // a timeline, a page that goes on with an order, posts rather than nothing
	Everybody             // a list that is the same for everybody: trending posts
	kinds
)

// Set is a list of filters that can be asked. It is shared.
type Set struct {
	list      []*Filter
	relations reserve.Relation // of all filters by relation
	byAuthor  []*Filter
	own       *Filter
	gone      *Filter
	ahead     *Filter
	audience  *Filter
	label     *Filter
	byPosts   [kinds][]*Filter
	byPost    [kinds][]*Filter
	rejected  []prometheus.Counter
}

// NewSet makes a list ready; one of its filters has Gone.
func NewSet(list []Filter, reg prometheus.Registerer) *Set {
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_feed_filtered_total",
		Help: "Posts left out of pages, and of the reserves that they are made of, by the filter that rejected them.",
	}, []string{"filter"})
	reg.MustRegister(rejected)
	s := &Set{}
	for at, f := range list {
		f.at = at
		s.list = append(s.list, &f)
		s.rejected = append(s.rejected, rejected.WithLabelValues(f.Name))
		switch {
		case f.Relation != 0:
			s.relations |= f.Relation
		case f.Author != nil:
			s.byAuthor = append(s.byAuthor, &f)
		case f.Own:
			s.own = &f
		case f.Gone:
			s.gone = &f
		case f.Ahead:
			s.ahead = &f
		case f.Audience:
			s.audience = &f
		case f.Labels:
			s.label = &f
		default:
			for kind := range kinds {
				switch {
				case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, kind):
				case f.Posts != nil:
					s.byPosts[kind] = append(s.byPosts[kind], &f)
				default:
					s.byPost[kind] = append(s.byPost[kind], &f)
				}
			}
		}
	}
	return s
}

// Viewer is what the filters know of whom a list is made for. It is not safe for concurrent use.
type Viewer struct {
	ID           core.ID
	Seen, Hidden *idset.Set         // posts
	SeenFor      time.Duration      // how long a post that was seen is left out
	Until        int64              // microseconds since 1970: posts that are dated later are held back
	Served       cursor.ServedPosts // by the session, where its order was lost
	Labels       LabelRules
	absent.Sets  // authors whose posts not everybody sees

	set      *Set
	posts    [kinds][]*idset.Set // of the filters that reject some posts, looked up once
	rejected []uint32            // by filter
	why      labelWhy
}

// Begin makes it ready for a viewer, with nothing counted.
func (v *Viewer) Begin(set *Set, id core.ID) {
	v.ID, v.Served, v.set = id, cursor.ServedPosts{}, set
	for kind := range kinds {
		v.posts[kind] = v.posts[kind][:0]
		for _, f := range set.byPosts[kind] {
			v.posts[kind] = append(v.posts[kind], f.Posts(v))
		}
	}
	if len(v.rejected) != len(set.list) {
		v.rejected = make([]uint32, len(set.list))
	}
	clear(v.rejected)
}

// Reject is the filter that leaves a post out of a list; nil: none does.
func (v *Viewer) Reject(kind Kind, p Post) *Filter {
	var f *Filter
	switch {
	case p.Author.Relation&v.set.relations != 0:
		f = v.RejectAuthor(p.Author)
	case p.Author.ID == v.ID:
		f = v.set.own
	default: // of the filters on authors only these are left
		f = v.rejectByAuthor(p.Author)
	}
	switch {
	case f != nil:
	case p.Gone:
		f = v.set.gone
	case p.Created > v.Until && v.set.ahead != nil:
		f = v.set.ahead
	case v.set.audience != nil && !v.isFor(kind, p):
		f = v.set.audience
	case v.Labels.Any() && v.set.label != nil && !p.Unlabelled && v.rejectsLabels(kind, p):
		f = v.set.label
	default:
		for at, posts := range v.posts[kind] {
			if posts.Has(p.ID) {
				f = v.set.byPosts[kind][at]
				break
			}
		}
		if f == nil && len(v.set.byPost[kind]) > 0 {
			f = v.rejectPost(kind, p)
		}
	}
	if f != nil {
		v.rejected[f.at]++
	}
	return f
}

// isFor tells whether a post is for the viewer, who is not its author.
func (v *Viewer) isFor(kind Kind, p Post) bool {
	private := v.Private.Has(p.Author.ID)
	if p.Audience == core.Public && !private && !v.OptedOut.Has(p.Author.ID) {
		return true
	}
	if kind == Everybody || p.Audience == core.Direct || p.Audience == core.Members && !p.Member {
		return false
	}
	needed := reserve.Follows
	switch {
	case p.Audience == core.Mutuals:
		needed = reserve.Mutual
	case p.Audience == core.Members && !private:
		needed = 0
	}
	return p.Author.Relation&needed == needed
}

func (v *Viewer) rejectByAuthor(author reserve.Author) *Filter {
	for _, f := range v.set.byAuthor {
		if f.Author(v, author) {
			return f
		}
	}
	return nil
}

func (v *Viewer) rejectPost(kind Kind, p Post) *Filter {
	for _, f := range v.set.byPost[kind] {
		if f.Post(v, p) {
			return f
		}
	}
	return nil
}

// RejectAuthor is the filter that leaves all posts of an author out, whatever the list; nil: none does. It is not
// counted: no post was looked at.
func (v *Viewer) RejectAuthor(author reserve.Author) *Filter {
	if author.ID == v.ID {
		return v.set.own
	}
	for _, f := range v.set.list {
		if author.Relation&f.Relation != 0 || f.Author != nil && f.Author(v, author) {
			return f
		}
	}
	return nil
}

// Fork is the same viewer, counting for itself: for another goroutine.
func (v *Viewer) Fork() Viewer {
	other := *v
	other.rejected = make([]uint32, len(v.set.list))
	return other
}

// Count adds what was rejected to the metric.
func (v *Viewer) Count() {
	for at, n := range v.rejected {
		if n > 0 {
			v.set.rejected[at].Add(float64(n))
		}
	}
	clear(v.rejected)
}
