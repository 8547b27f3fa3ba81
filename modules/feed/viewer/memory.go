package viewer

import (
	"bytes"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Memory is what this replica knew last of the viewers that it answered: for when Redis is away, or
// was emptied. While it is away this is the cache, and what was computed is kept here. What a viewer hid
// and saw still counts, whoever else is away; and their last entry is the answer where there would be none
// but trending posts, which know nobody's blocks. It is safe for concurrent use.
type Memory struct {
	cfg    store.Config
	states *lru.Cache[core.ID, localState]
	hides  *hides
}

type localState struct {
	store.State
	readAt time.Time // the entry, or computed
}

// NewMemory makes one of so many viewers.
func NewMemory(viewers int, cfg store.Config) (*Memory, error) {
	states, err := lru.New[core.ID, localState](viewers)
	if err != nil {
		return nil, err
	}
	hidden, err := newHides(viewers, cfg.MaxHidden)
	return &Memory{cfg: cfg, states: states, hides: hidden}, err
}

// Keep remembers what was read. Marks and an entry that Redis has lost since the last time stay; what was
// hidden is returned as well, where Redis knows of nothing.
func (m *Memory) Keep(user core.ID, now store.State, readAt time.Time) (lost []byte) {
	before, _ := m.states.Get(user)
	if len(now.Hidden) == 0 {
		lost = before.Hidden
	}
	if len(now.Entry) == 0 && len(now.Seen) == 0 && len(now.Hidden) == 0 {
		return lost // nothing is known of them, or all was lost
	}
	if len(now.Entry) == 0 {
		now.Entry, readAt = before.Entry, before.readAt
	}
	now.Seen = longer(before.Seen, now.Seen, m.cfg.MaxSeen)
	now.Hidden = longer(before.Hidden, now.Hidden, m.cfg.MaxHidden)
	m.states.Add(user, localState{now, readAt})
	return lost
}

// KeepComputed remembers an entry that could not be written to Redis, and the marks that Redis had lost.
func (m *Memory) KeepComputed(user core.ID, entry []byte, found *Found, now time.Time) {
	state, _ := m.states.Get(user)
	state.Entry, state.readAt = entry, now
	state.Seen = withMarks(state.Seen, found.Seen, m.cfg.MaxSeen)
	state.Hidden = withMarks(state.Hidden, found.Hidden, m.cfg.MaxHidden)
	m.states.Add(user, state)
}

// Since is what stands for Redis: what the viewer hid, and an entry that was read after some time. What
// they saw is left out, or nobody would look for what they saw since, as for what Redis has lost; Read has it.
func (m *Memory) Since(user core.ID, after time.Time) store.State {
	local, _ := m.states.Get(user)
	if local.readAt.Before(after) {
		local.Entry = nil
	}
	return store.State{Entry: local.Entry, Hidden: local.Hidden}
}

// Read takes over what the viewer saw and hid, by Redis and by what is remembered here.
func (m *Memory) Read(into *SeenHidden, user core.ID, state store.State, now, until time.Time) {
	local, known := m.states.Get(user)
	hidden := m.hides.of(user)
	into.Read(state, m.cfg, now, until, local.Hidden, hidden)
	// Mostly they are the very bytes that Keep was just given.
	if known && (!bytes.Equal(local.Seen, state.Seen) || !bytes.Equal(local.Hidden, state.Hidden)) {
		into.collect(local.State, m.cfg, now, until)
	}
	if len(hidden) > 0 {
		into.collect(store.State{Hidden: hidden}, m.cfg, now, until)
	}
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
