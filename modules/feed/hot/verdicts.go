package hot

import "github.com/feedrank/feedrank/modules/core"

// verdicts are what was found out about the posts at the top of trending lists, in the raw events: the
// counters alone do not tell a thousand people from one who likes a thousand times.
type verdicts struct {
	checked map[core.ID]struct{} // enough different people cared for these
	refused map[core.ID]struct{} // one account, or a few, did all that was done with these
}

// Judge tells the set which posts enough different people cared for, and whose engagement does not
// count because it is of one account, or a few. It replaces what was told before. In the lists of
// trending posts, those that were checked stand before those that were not; where none was checked,
// all stand by their numbers.
func (s *Set) Judge(checked, refused []core.ID) {
	next := &verdicts{checked: setOf(checked), refused: setOf(refused)}
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

func (v *verdicts) hasChecked(id core.ID) bool {
	_, ok := v.checked[id]
	return ok
}
