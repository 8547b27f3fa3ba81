package ratelimit

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Rule is how often something may be done.
type Rule struct {
	Name     string // in Redis and in the headers of answers
	Limit    int    // in a window; 0: as often as one likes
	Window   time.Duration
	Sliding  bool // of the window before, the part that is not yet a window ago counts too
	MaxKeys  int  // in a window, of all accounts
	KeysEach int  // of one account in a window; more are refused; 0: as many as there is room for
}

// Key is who does it: a user or an address, and to what.
type Key struct{ Who, What uint64 }

// Verdict is what a limiter says.
type Verdict struct {
	OK        bool
	Remaining int           // in this window
	Reset     time.Duration // until the window ends
	Retry     time.Duration // if not OK: when to try again
}

// shards part the keys, so that requests seldom wait for each other.
const shards = 64

// Limiter holds one rule. It is safe for concurrent use.
type Limiter struct {
	rule     Rule
	tellFrom uint32
	clock    core.Clock
	seed     maphash.Seed
	shards   [shards]shard
	shared   atomic.Uint64
	shut     atomic.Uint64
	refused  atomic.Uint64
}

type shard struct {
	mu     sync.Mutex
	window int64 // its number since 1970
	now    map[Key]tally
	before map[Key]tally
	keys   map[uint64]int32 // of each account in now; closed: it is shut out
	rest   tally            // of the keys that there is no room for
	news   []Key            // whose tally the others do not know yet
}

// closed stands for the number of keys of an account that is shut out.
const closed = -1

// heavy is how many keys make an account stand out in a full shard.
const heavy = 16

// tally is what a key has used in a window.
type tally struct {
	here   uint32 // in this replica
	told   uint32 // of it, what Redis has
	others uint32 // in the others, as of the last round
	queued bool   // in news
}

func (t tally) total() int { return int(t.here) + int(t.others) }

// NewLimiter makes a limiter that counts here alone until a Sync has it.
func NewLimiter(rule Rule, clock core.Clock) *Limiter {
	return &Limiter{rule: rule, clock: clock, seed: maphash.MakeSeed(), tellFrom: uint32(max(1, rule.Limit/10))}
}

// Take uses up one of the key's limit, unless it is used up.
func (l *Limiter) Take(key Key) Verdict {
	if l.rule.Limit == 0 {
		return Verdict{OK: true}
	}
	now := l.clock.Now()
	number, into := l.window(now)
	left := l.rule.Window - into
	s := l.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(number)
	t, known := s.now[key]
	over := !known && l.rule.KeysEach > 0 && int(s.keys[key.Who]) >= l.rule.KeysEach
	counts := known || over || s.keys[key.Who] == closed || l.room(s)
	if over || s.keys[key.Who] == closed {
		l.refused.Add(1)
		return Verdict{Reset: left, Retry: left}
	}
	if !counts {
		t = s.rest
	}
	used, past := t.total(), 0
	if l.rule.Sliding && counts {
		past = s.before[key].total()
		used += int(float64(past) * float64(left) / float64(l.rule.Window))
	}
	if used >= l.rule.Limit {
		l.refused.Add(1)
		return Verdict{Reset: left, Retry: l.retry(left, used, past)}
	}
	t.here++
	verdict := Verdict{OK: true, Remaining: l.rule.Limit - used - 1, Reset: left}
	if !counts {
		l.shared.Add(1)
		s.rest = t
		return verdict
	}
	if t.here >= l.tellFrom && !t.queued {
		t.queued = true
		s.news = append(s.news, key)
	}
	s.now[key] = t
	if !known {
		s.keys[key.Who]++
	}
	return verdict
}

// room tells whether a shard can take one more key. If it is full, the account with most keys makes room, and
// is shut out. The caller holds the lock.
func (l *Limiter) room(s *shard) bool {
	if len(s.now) < max(1, l.rule.MaxKeys/shards) {
		return true
	}
	most := uint64(0)
	for who, n := range s.keys {
		if n > s.keys[most] {
			most = who
		}
	}
	if s.keys[most] < heavy {
		return false
	}
	for key := range s.now {
		if key.Who == most {
			delete(s.now, key)
		}
	}
	s.keys[most] = closed
	l.shut.Add(1)
	return true
}

// GiveBack undoes a Take of this window.
func (l *Limiter) GiveBack(key Key) {
	if l.rule.Limit == 0 {
		return
	}
	number, _ := l.window(l.clock.Now())
	s := l.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(number)
	t := s.now[key]
	if t.here == 0 {
		return
	}
	t.here--
	if t.told > t.here && !t.queued { // the others are to know
		t.queued = true
		s.news = append(s.news, key)
	}
	s.now[key] = t
}

// retry is when there is room for one more: when the window ends, or when enough of the window before
// is long enough ago.
func (l *Limiter) retry(left time.Duration, used, past int) time.Duration {
	if past == 0 {
		return left
	}
	return min(left, time.Duration(float64(used-l.rule.Limit+1)/float64(past)*float64(l.rule.Window)))
}

func (l *Limiter) window(now time.Time) (number int64, into time.Duration) {
	ns := now.UnixNano()
	return ns / int64(l.rule.Window), time.Duration(ns % int64(l.rule.Window))
}

// turn begins a window. The caller holds the lock.
func (s *shard) turn(number int64) {
	if s.window == number && s.now != nil {
		return
	}
	s.before, s.news = nil, s.news[:0] // what the others were not told of a window that is over, they need not know
	if s.window == number-1 {
		s.before = s.now
	}
	s.window, s.now, s.keys, s.rest = number, map[Key]tally{}, map[uint64]int32{}, tally{}
}

// shardOf is where all keys of an account are. Nobody outside can tell which accounts share a shard.
func (l *Limiter) shardOf(key Key) *shard {
	return &l.shards[maphash.Comparable(l.seed, key.Who)%shards]
}
