package hot

import "github.com/feedrank/feedrank/modules/core"

// verdicts are what was found out about the posts at the top of trending lists, in the raw events: the
// counters alone do not tell a thousand people from one who likes a thousand times.
type verdicts struct {
	refused map[core.ID]struct{} // one account, or a few, did all that was done with these
}

// Judge tells the set of which posts the engagement does not count, because it is of one account, or a few: where
// the app's own tables count what somebody did more than once, counts cannot tell. It replaces what was told
// before.
func (s *Set) Judge(refused []core.ID) {
	next := &verdicts{refused: setOf(refused)}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.verdicts
	s.verdicts = next
	for id := range before.refused {
		if p := s.index.get(id); p != nil {
			p.Refused = false
			s.index.rate(p)
		}
	}
	s.refuse(s.index)
}

// refuse marks the refused posts of an index. The caller holds the lock.
func (s *Set) refuse(x *index) {
	for id := range s.verdicts.refused {
		if p := x.get(id); p != nil {
			p.Refused = true
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
