package feed

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// localStates are what this replica read last of the viewers that it answered: for when Redis is away, or
// was emptied. What a viewer hid and saw then still counts, whoever else is away; and their last entry is
// the answer where there would be none but trending posts, which know nobody's blocks.
type localStates struct {
	states *lru.Cache[core.ID, localState]
}

type localState struct {
	store.State
	readAt time.Time
}

func newLocalStates(size int) (localStates, error) {
	states, err := lru.New[core.ID, localState](size)
	return localStates{states}, err
}

// keep remembers what was read. Marks that Redis has lost since the last time stay.
func (l localStates) keep(user core.ID, now store.State, readAt time.Time, cfg store.Config) {
	if len(now.Entry) == 0 && len(now.Seen) == 0 && len(now.Hidden) == 0 {
		return // nothing is known of them, or all was lost
	}
	before, _ := l.states.Get(user)
	now.Seen = longer(before.Seen, now.Seen, cfg.MaxSeen)
	now.Hidden = longer(before.Hidden, now.Hidden, cfg.MaxHidden)
	l.states.Add(user, localState{now, readAt})
}

// longer puts marks from before in front of those of now, where there were more.
func longer(before, now []byte, most int) []byte {
	if len(before) <= len(now) {
		return now
	}
	both := make([]byte, 0, len(before)+len(now))
	both = append(append(both, before...), now...)
	return both[max(0, len(both)-most*marks.Size):]
}

// readMarks takes over what the viewer saw and hid, by Redis and by what is remembered here.
func (f *Feed) readMarks(r *request, state store.State) {
	r.marks.read(state, f.cfg.Store, r.now, r.seenUntil())
	if local, ok := f.local.states.Get(r.User); ok {
		r.marks.collect(local.State, f.cfg.Store, r.now, r.seenUntil())
	}
}

// recollect makes the viewer's last entry that is remembered here the reserve, if it is not too old. It
// knows of what the viewer has changed since only what this replica heard.
func (f *Feed) recollect(r *request) bool {
	local, ok := f.local.states.Get(r.User)
	if !ok || r.now.Sub(local.readAt) > f.cfg.Cache.StaleFor || r.entry.Decode(local.Entry) != nil || !r.entry.HasBody {
		return false
	}
	r.entry.Reserve.Apply(r.entry.Patches, r.ranking.Affinity.Hide)
	f.adopt(r, &r.entry.Reserve, r.entry.Patches)
	f.use(r, &r.entry.Reserve, FromStale)
	return true
}
