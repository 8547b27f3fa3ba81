package absent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Config bounds the set.
type Config struct {
	MaxPeople   int           `koanf:"max_people" validate:"gte=1000,lte=100000000"` // suspended, hidden or deleted people whose posts are left out, 16 to 64 bytes each; beyond that, deleted ones are forgotten first
	ReloadEvery time.Duration `koanf:"reload_every" validate:"gte=10s,lte=24h"`      // all of them, to repair what changes missed
	LoadTimeout time.Duration `koanf:"load_timeout" validate:"gte=100ms,lte=10m"`    // one such reading
}

// DefaultConfig suits most sites.
func DefaultConfig() Config {
	return Config{MaxPeople: 1_000_000, ReloadEvery: 10 * time.Minute, LoadTimeout: 30 * time.Second}
}

// Source reads who is absent, at most limit people.
type Source func(ctx context.Context, limit int) ([]core.ID, error)

// Set is who is absent. It is safe for concurrent use; a nil one is empty.
type Set struct {
	cfg        Config
	trust      time.Duration
	source     Source // ClickHouse
	substitute Source // while that is away
	clock      core.Clock
	log        *zap.Logger
	metrics    *metrics
	words      words
	workers    *worker.Group
	reload     chan struct{}

	table  atomic.Pointer[table]
	state  atomic.Int32
	full   atomic.Bool // people were left out
	mu     sync.Mutex  // changes
	heard  map[core.ID]note
	failed bool
}

// note is what was heard of somebody.
type note struct {
	absent bool
	at     time.Time
}

// What the set was loaded from.
const (
	nothing = iota
	partly
	whole
)

// New makes an empty set. What is heard outweighs what is read for the time of trust. Without a source nobody is
// ever absent: the app's table of users is not mapped.
func New(cfg Config, trust time.Duration, source, substitute Source, clock core.Clock, reg prometheus.Registerer,
	log *zap.Logger,
) *Set {
	return newSet(absentWords, cfg, trust, source, substitute, clock, reg, log)
}

// Private is whose posts only their followers see.
type Private struct{ *Set }

// NewPrivate makes an empty set of private accounts. As long as not all are known, everybody's is one. Without a source
// no account is private: the mapping has no such condition.
func NewPrivate(cfg Config, trust time.Duration, source, substitute Source, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) Private {
	if source == nil {
		return Private{}
	}
	return Private{newSet(privateWords, cfg, trust, source, substitute, clock, reg, log)}
}

// Apply takes over changes of users, and tells whose account is private no longer.
func (p Private) Apply(changes []core.Change) (back []core.ID) {
	return p.applyAs(changes, func(c *core.Change) bool { return c.Private })
}

// OptedOut is who is not to be recommended, with their posts, to anybody who does not follow them.
type OptedOut struct{ *Set }

// NewOptedOut makes an empty set. As long as not all are known, everybody is one. Without a source nobody opts out: the
// mapping has no such condition.
func NewOptedOut(cfg Config, trust time.Duration, source, substitute Source, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) OptedOut {
	if source == nil {
		return OptedOut{}
	}
	return OptedOut{newSet(optedOutWords, cfg, trust, source, substitute, clock, reg, log)}
}

// Apply takes over changes of users, and tells who may be recommended again.
func (o OptedOut) Apply(changes []core.Change) (back []core.ID) {
	return o.applyAs(changes, func(c *core.Change) bool { return c.NoDiscovery })
}

// applyAs takes over changes of users to a set of those of whom something else is true than that they are gone.
func (s *Set) applyAs(changes []core.Change, is func(*core.Change) bool) (back []core.ID) {
	if s == nil {
		return nil
	}
	told := slices.Clone(changes)
	for i := range told {
		switch c := &told[i]; c.Kind { //nolint:exhaustive // of these alone it tells
		case core.UserGone, core.UserBack:
			c.Kind = core.UserBack
			if is(c) {
				c.Kind = core.UserGone
			}
		}
	}
	return s.Apply(told)
}

func newSet(w words, cfg Config, trust time.Duration, source, substitute Source, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) *Set {
	s := &Set{
		cfg: cfg, trust: trust, source: source, substitute: substitute, clock: clock, log: log.Named("absent"),
		reload: make(chan struct{}, 1), heard: map[core.ID]note{}, words: w,
	}
	s.metrics = newMetrics(reg, s)
	s.table.Store(newTable(0))
	return s
}

// Has tells whether somebody is absent.
func (s *Set) Has(id core.ID) bool {
	return s != nil && id.Valid() && (s.table.Load().has(id) || s.words.closed && s.incomplete())
}

// incomplete tells whether somebody may be missing.
func (s *Set) incomplete() bool { return s.state.Load() == nothing || s.full.Load() }

// Len is how many people are absent.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.Load().live
}

// Check is nil when everybody is known.
func (s *Set) Check(context.Context) error {
	switch {
	case s == nil || s.source == nil:
	case s.state.Load() == nothing:
		return s.words.notLoaded
	case s.state.Load() == partly:
		return s.words.partly
	case s.full.Load():
		return fmt.Errorf(s.words.full, s.cfg.MaxPeople)
	}
	return nil
}

// maxHeard bounds the memory of changes; beyond it, what is read is trusted sooner.
const maxHeard = 1 << 17

// Apply takes over changes, those of one person in their order, and tells who has come back.
func (s *Set) Apply(changes []core.Change) (back []core.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case core.UserGone:
			s.hear(c.Viewer, true)
			s.put(c.Viewer)
		case core.UserBack:
			was := s.table.Load().remove(c.Viewer)
			if was {
				back = append(back, c.Viewer)
			}
			if was || s.state.Load() != whole { // else ClickHouse said nothing else
				s.hear(c.Viewer, false)
			}
		case core.UserUnclear:
			delete(s.heard, c.Viewer)
			s.requestReload()
		case core.TableCleared: // only ClickHouse knows what has come since
			clear(s.heard)
			s.requestReload()
		case core.TableReread:
			s.requestReload()
		case core.PostPut, core.PostDeleted, core.PostUnclear, core.Followed, core.Unfollowed, core.Blocked,
			core.Unblocked, core.Muted, core.Unmuted, core.JoinedGroup, core.LeftGroup,
			core.HidPost, core.UnhidPost:
		}
	}
	return back
}

func (s *Set) put(id core.ID) {
	t := s.table.Load()
	switch {
	case !id.Valid() || t.has(id):
		return
	case t.live >= s.cfg.MaxPeople:
		s.full.Store(true)
		s.metrics.leftOut.Inc()
		return
	case !t.add(id):
		t = t.grown()
		t.add(id)
		s.table.Store(t)
	}
}

func (s *Set) hear(id core.ID, absent bool) {
	if len(s.heard) >= maxHeard {
		s.forget(s.clock.Now().Add(-s.trust / 4))
	}
	if len(s.heard) < maxHeard && id.Valid() {
		s.heard[id] = note{absent, s.clock.Now()}
	}
}

// forget drops what was heard before a time.
func (s *Set) forget(before time.Time) {
	for id, n := range s.heard {
		if n.at.Before(before) {
			delete(s.heard, id)
		}
	}
}

func (s *Set) requestReload() {
	select {
	case s.reload <- struct{}{}:
	default: // one is asked for already
	}
}
