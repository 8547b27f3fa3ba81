package rank

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/feedrank/feedrank/modules/core"
)

// Versioned is a ranking with the number of its version.
type Versioned struct {
	Version  uint64
	Heaviest int64 // how many likes one reaction may be; 0: one
	Config
}

// Live is the ranking in force. It can be replaced at any time; who began with a version holds on to
// it, and a session of pages finds its version again. It is safe for concurrent use.
type Live struct {
	current  atomic.Pointer[Versioned]
	heaviest int64
	mu       sync.Mutex
	recent   []*Versioned // the last few, latest last
}

// MaxRecent bounds the versions that are remembered.
const MaxRecent = 32

// NewLive starts with a configuration as version 0.
func NewLive(cfg Config) *Live { return NewLiveOf(cfg, core.CountedFrom{}) }

// NewLiveOf does so where likes count from somewhere.
func NewLiveOf(cfg Config, from core.CountedFrom) *Live {
	l := Live{heaviest: from.Heaviest}
	l.Set(Versioned{Config: cfg})
	return &l
}

// Get is the ranking in force. It must not be changed.
func (l *Live) Get() *Versioned { return l.current.Load() }

// At is a version that was in force lately, or the one that is now.
func (l *Live) At(version uint64) *Versioned {
	if now := l.Get(); now.Version == version {
		return now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.recent {
		if v.Version == version {
			return v
		}
	}
	return l.Get()
}

// Set puts another one in force. before are some that were in force lately, oldest first: sessions may
// have begun with them in another replica.
func (l *Live) Set(v Versioned, before ...Versioned) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, past := range append(before, v) {
		past.Heaviest = l.heaviest
		l.recent = slices.DeleteFunc(l.recent, func(known *Versioned) bool { return known.Version == past.Version })
		l.recent = append(l.recent, &past)
	}
	l.recent = slices.Delete(l.recent, 0, max(0, len(l.recent)-MaxRecent))
	l.current.Store(l.recent[len(l.recent)-1])
}
