package hot

import (
	"cmp"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// due is a post that was dated ahead when it came in.
type due struct {
	at int64 // its time, in microseconds since 1970
	id core.ID
}

// scheduled are such posts, in the order of their times. When one's time has come nobody tells, and a reserve that was
// made before does not have it: see DueSince.
type scheduled []due

// maxScheduled bounds them. What is dated furthest ahead gives way: a reload finds it again.
const maxScheduled = 1 << 14

func (d due) compare(o due) int { return cmp.Or(cmp.Compare(d.at, o.at), cmp.Compare(d.id, o.id)) }

func (s *scheduled) add(d due) {
	at, there := slices.BinarySearchFunc(*s, d, due.compare)
	if there || at == maxScheduled {
		return
	}
	*s = slices.Insert(*s, at, d)
	*s = (*s)[:min(len(*s), maxScheduled)]
}

// forget drops those whose time came before a moment.
func (s *scheduled) forget(before int64) {
	n, _ := slices.BinarySearchFunc(*s, due{at: before}, due.compare)
	*s = slices.Delete(*s, 0, n)
}

// schedule notes a post that is dated ahead. The caller holds the lock.
func (s *Set) schedule(id core.ID, created int64, now time.Time) {
	if created > now.UnixMicro() {
		s.scheduled.add(due{created, id})
	}
}

// reschedule notes those of an index that was loaded, and forgets what is not in it. The caller holds the lock.
func (s *Set) reschedule(fresh *index, now time.Time) {
	micros := now.UnixMicro()
	passed, _ := slices.BinarySearchFunc(s.scheduled, due{at: micros + 1}, due.compare)
	var ahead scheduled
	for place := range fresh.used {
		if p := fresh.at(place); p.ID != 0 && p.Created > micros {
			ahead = append(ahead, due{p.Created, p.ID})
		}
	}
	slices.SortFunc(ahead, due.compare)
	s.scheduled = append(s.scheduled[:passed], ahead...)
	s.scheduled = s.scheduled[:min(len(s.scheduled), maxScheduled)]
}

// DueSince calls f with the posts that were dated ahead when they came in and whose time is after since and not after
// until, in the order of their times, until it returns false.
func (v View) DueSince(since, until time.Time, f func(*Post) bool) {
	all := v.s.scheduled
	from, _ := slices.BinarySearchFunc(all, due{at: since.UnixMicro() + 1}, due.compare)
	for _, d := range all[from:] {
		if d.at > until.UnixMicro() {
			return
		}
		if p := v.Get(d.id); p != nil && p.Created == d.at && !f(p) { // else it has another time now
			return
		}
	}
}
