package feed

import (
	mathrand "math/rand/v2"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// localStates are what this replica knew last of the viewers that it answered: for when Redis is away, or
// was emptied. While it is away this is the cache, and what was computed is kept here. What a viewer hid
// and saw still counts, whoever else is away; and their last entry is the answer where there would be none
// but trending posts, which know nobody's blocks.
type localStates struct {
	states *lru.Cache[core.ID, localState]
}

type localState struct {
	store.State
	readAt time.Time // the entry, or computed
}

func newLocalStates(size int) (localStates, error) {
	states, err := lru.New[core.ID, localState](size)
	return localStates{states}, err
}

// keep remembers what was read. Marks and an entry that Redis has lost since the last time stay; what was
// hidden is returned as well, where Redis knows of nothing.
func (l localStates) keep(user core.ID, now store.State, readAt time.Time, cfg store.Config) (lost []byte) {
	before, _ := l.states.Get(user)
	if len(now.Hidden) == 0 {
		lost = before.Hidden
	}
	if len(now.Entry) == 0 && len(now.Seen) == 0 && len(now.Hidden) == 0 {
		return lost // nothing is known of them, or all was lost
	}
	if len(now.Entry) == 0 {
		now.Entry, readAt = before.Entry, before.readAt
	}
	now.Seen = longer(before.Seen, now.Seen, cfg.MaxSeen)
	now.Hidden = longer(before.Hidden, now.Hidden, cfg.MaxHidden)
	l.states.Add(user, localState{now, readAt})
	return lost
}

// keepComputed remembers an entry that could not be written to Redis, and the marks that Redis had lost.
func (f *Feed) keepComputed(user core.ID, c *computed, ttl time.Duration) {
	now := f.clock.Now()
	state, _ := f.local.states.Get(user)
	state.Entry = reserve.AppendEntry(make([]byte, 0, 6<<10), mathrand.Uint64(), now.Add(ttl), c.reserve) //nolint:gosec // tells states apart, keeps no secret
	state.readAt = now
	state.Seen = withMarks(state.Seen, c.found.seen, f.cfg.Store.MaxSeen)
	state.Hidden = withMarks(state.Hidden, c.found.hidden, f.cfg.Store.MaxHidden)
	f.local.states.Add(user, state)
}

// since is what stands for Redis: what the viewer hid, and an entry that was read after some time. What
// they saw is left out, or nobody would look for what they saw since (see lost); readSeenHidden has it.
func (l localStates) since(user core.ID, after time.Time) store.State {
	local, _ := l.states.Get(user)
	if local.readAt.Before(after) {
		local.Entry = nil
	}
	return store.State{Entry: local.Entry, Hidden: local.Hidden}
}

// withMarks puts marks behind those of before, which others read.
func withMarks(before []byte, more []store.Mark, most int) []byte {
	if len(more) == 0 {
		return before
	}
	all := appendMarks(slices.Clone(before), more)
	return all[max(0, len(all)-most*marks.Size):]
}

func appendMarks(b []byte, more []store.Mark) []byte {
	for _, m := range more {
		b = marks.Append(b, m.Post, m.At)
	}
	return b
}

// longer puts marks from before, where there were more, in front of those of now.
func longer(before, now []byte, most int) []byte {
	if len(before) <= len(now) {
		return now
	}
	lacking := marks.Without(before, now)
	both := make([]byte, 0, len(lacking)+len(now))
	both = append(append(both, lacking...), now...)
	return both[max(0, len(both)-most*marks.Size):]
}
