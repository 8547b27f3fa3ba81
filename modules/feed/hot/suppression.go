package hot

import "github.com/feedrank/feedrank/modules/core"

// suppressionList is what was found out about the posts at the top of trending lists, in the raw events: the
// counters alone do not tell a thousand people from one who likes a thousand times.
type suppressionList struct {
	suppressed map[core.ID]struct{} // one account, or a few, did all that was done with these
}

// Suppress tells the set of which posts the engagement does not count, because it is of one account, or a few: where
// the app's own tables count what somebody did more than once, counts cannot tell. It replaces what was told
// before.
func (s *Set) Suppress(suppressed []core.ID) {
	next := &suppressionList{suppressed: setOf(suppressed)}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.suppressionList
	s.suppressionList = next
	for id := range before.suppressed {
		if p := s.index.get(id); p != nil {
			p.Suppressed = false
			s.index.rate(p)
		}
	}
	s.suppress(s.index)
}

// suppress marks the suppressed posts of an index. The caller holds the lock.
func (s *Set) suppress(x *index) {
	for id := range s.suppressionList.suppressed {
		if p := x.get(id); p != nil {
			p.Suppressed = true
			x.rate(p)
		}
	}
}

func setOf(ids []core.ID) map[core.ID]struct{} {
	set := make(map[core.ID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}
