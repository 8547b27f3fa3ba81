package hot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Source is where the set is loaded from.
type Source interface {
	// Posts gives the newest visible posts that were made at or after since, at most limit.
	Posts(ctx context.Context, since time.Time, limit int, add func(core.Post)) error
	// OlderPosts gives the newest visible posts that were made before a time, at most limit.
	OlderPosts(ctx context.Context, before time.Time, limit int, add func(core.Post)) error
	// Engagement gives the sums of the hours from since on, by their age against hour.
	Engagement(ctx context.Context, since, hour time.Time, add func(core.ID, Age, core.Engagement)) error
	// EngagementLately gives the same of the posts of which something was written within a time before now.
	EngagementLately(ctx context.Context, since, hour time.Time, within time.Duration,
		add func(core.ID, Age, core.Engagement)) error
}

// Set is the hot set. It is safe for concurrent use.
type Set struct {
	cfg     Config
	source  Source
	ranking *rank.Live
	clock   core.Clock
	log     *zap.Logger
	metrics *metrics
	workers *worker.Group
	reload  chan struct{} // asks for a reload now

	mu        sync.RWMutex
	index     *index
	arrivals  arrivals
	scheduled scheduled
	// microseconds since 1970: when it was loaded first; from then on it knows of every arrival
	watching        int64
	touched         map[core.ID]time.Time // posts that changed lately, and when we were told
	unclear         map[core.ID]unclear   // posts that may have changed
	withdrawn       map[core.ID]time.Time // posts that are not, or not public, any more, and when we were told
	unsettled       time.Time             // when the table of posts was truncated, or had been read anew
	hour            time.Time             // the hour that counts as the current one
	suppressionList *suppressionList

	labels  *labelSets
	people  absent.Sets   // whose posts are in no list of everybody's
	keptOut []core.ID     // labels of posts that are in none; ascending
	observe func(core.ID) // nil: nobody wants to know of whom posts came and went

	loadedAt     atomic.Int64 // microseconds since 1970; zero: never
	engagementAt atomic.Int64
	lists        atomic.Pointer[Lists]
}

// New makes an empty set.
func New(cfg Config, source Source, ranking *rank.Live, clock core.Clock, metrics *Metrics, log *zap.Logger) *Set {
	labels := newLabelSets()
	s := &Set{
		cfg: cfg, labels: labels, source: source, ranking: ranking, clock: clock, log: log, metrics: metrics.inner,
		reload: make(chan struct{}, 1), index: newIndex(0, ranking.Get(), labels), touched: map[core.ID]time.Time{},
		unclear: map[core.ID]unclear{}, withdrawn: map[core.ID]time.Time{},
		suppressionList: &suppressionList{},
	}
	s.lists.Store(&Lists{})
	return s
}

// LeaveOut keeps these people's posts out of the lists for everybody. It is called before Start.
func (s *Set) LeaveOut(people absent.Sets) { s.people = people }

// KeepOut keeps posts with one of these labels, ascending, out of the lists for everybody. It is called before Start.
func (s *Set) KeepOut(labels []core.ID) { s.keptOut = labels }

// Observe has f called with each author of whom, and each group in which, a post came, went or changed, and with 0
// where that may be so of anybody. It must not wait, nor read the set. It is set before Start.
func (s *Set) Observe(f func(authorOrGroup core.ID)) { s.observe = f }

// Tolerance is how far ahead of its time a post counts as of now.
func (s *Set) Tolerance() time.Duration { return s.cfg.ClockTolerance }

// changed tells whoever observes of a post of an author, in a group or in none.
func (s *Set) changed(author, group core.ID) {
	if s.observe == nil {
		return
	}
	s.observe(author)
	if group.Valid() {
		s.observe(group)
	}
}

// View reads the set. It must be closed soon: changes wait for it.
type View struct{ s *Set }

// View locks the set for reading.
func (s *Set) View() View {
	s.mu.RLock()
	return View{s}
}

// Close ends the reading.
func (v View) Close() { v.s.mu.RUnlock() }

// Post is a visible post, or false.
func (v View) Post(id core.ID) (Post, bool) {
	if p := v.Get(id); p != nil {
		return *p, true
	}
	return Post{}, false
}

// Get is a visible post, or nil. It holds until the view is closed, and must not be changed.
func (v View) Get(id core.ID) *Post { return v.s.index.get(id) }

// GetAll appends what Get gives for each id to dst. It takes less time than asking for one after the other.
func (v View) GetAll(dst []*Post, ids []core.ID) []*Post { return v.s.index.getAll(dst, ids) }

// EngagementTerm is what a post's engagement adds to its score, by a ranking, before its weight.
func (v View) EngagementTerm(p *Post, by *rank.Versioned) float64 { return v.s.index.term(p, by) }

// Withdrawn tells of a post that need not be in the set, as one of long ago, whether it was deleted, hidden or made
// less than public lately.
func (v View) Withdrawn(id core.ID) bool {
	_, yes := v.s.withdrawn[id]
	return yes
}

// ByAuthor calls f with an author's posts, newest first, until it returns false.
func (v View) ByAuthor(author core.ID, f func(*Post) bool) {
	v.newestFirst(v.s.index.byAuthor[author], f)
}

// ByGroup calls f with a group's posts, newest first, until it returns false.
func (v View) ByGroup(group core.ID, f func(*Post) bool) { v.newestFirst(v.s.index.byGroup[group], f) }

// Seldom tells whether an author has at most so many posts since a time, in microseconds since 1970.
func (v View) Seldom(author core.ID, since int64, most int) bool {
	posts := v.s.index.byAuthor[author]
	return len(posts) <= most || v.s.index.at(posts[len(posts)-1-most]).Created < since
}

func (v View) newestFirst(posts []uint32, f func(*Post) bool) {
	for i := len(posts) - 1; i >= 0; i-- {
		if !f(v.s.index.at(posts[i])) {
			return
		}
	}
}

// All calls f with every post, in no order, until it returns false.
func (v View) All(f func(*Post) bool) {
	for place := range v.s.index.used {
		if p := v.s.index.at(place); p.ID != 0 && !f(p) {
			return
		}
	}
}

// Len is how many posts the set holds.
func (v View) Len() int { return v.s.index.len() }

// Lists are the trending and popular posts as they were ranked last. They must not be changed.
func (s *Set) Lists() *Lists { return s.lists.Load() }

// Status says how the set is.
type Status struct {
	Loaded       bool
	LoadedAt     time.Time
	EngagementAt time.Time
	Posts        int
	Bytes        int64
}

// Loaded tells whether the set was loaded once. Before, it holds only what changed lately.
func (s *Set) Loaded() bool { return s.loadedAt.Load() != 0 }

// Useful tells whether feeds can be made from the set: it was loaded, and there is a post in it. A new
// installation loads an empty one before its first posts have come through Kafka; until then the app's
// database knows more.
func (s *Set) Useful() bool {
	if !s.Loaded() {
		return false
	}
	v := s.View()
	defer v.Close()
	return v.Len() > 0
}

// Stale tells whether the engagement is older than it should be.
func (s *Set) Stale() bool {
	return s.clock.Now().Sub(time.UnixMicro(s.engagementAt.Load())) > s.cfg.StaleAfter
}

// Old tells whether the engagement is so old that asking ClickHouse for each page is better.
func (s *Set) Old() bool {
	return s.clock.Now().Sub(time.UnixMicro(s.engagementAt.Load())) > s.cfg.ReplaceAfter
}

// Status is the set's size and age.
func (s *Set) Status() Status {
	v := s.View()
	defer v.Close()
	return Status{
		Loaded: s.Loaded(), LoadedAt: time.UnixMicro(s.loadedAt.Load()).UTC(),
		EngagementAt: time.UnixMicro(s.engagementAt.Load()).UTC(),
		Posts:        s.index.len(), Bytes: s.index.bytes(),
	}
}

// ErrNotLoaded is returned by Check until the set was loaded.
var ErrNotLoaded = errors.New("the hot set is not loaded yet")

// Check is nil when the set is loaded and fresh.
func (s *Set) Check(context.Context) error {
	if !s.Loaded() {
		return ErrNotLoaded
	}
	if s.Stale() {
		return fmt.Errorf("the hot set's engagement is from %s", s.Status().EngagementAt.Format(time.RFC3339))
	}
	return nil
}
