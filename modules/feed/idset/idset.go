// Package idset is a small set of ids that keeps its memory from one request to the next.
package idset

import "github.com/feedrank/feedrank/modules/core"

// Set holds valid ids. Its zero value is empty. It is not safe for concurrent use.
type Set struct {
	table []core.ID // a power of two; zero is a free place
	n     int
}

// Len is how many ids the set holds.
func (s *Set) Len() int { return s.n }

// Reset empties the set and makes room for n ids.
func (s *Set) Reset(n int) {
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(s.table) >= size {
		s.table = s.table[:size]
		clear(s.table)
	} else {
		s.table = make([]core.ID, size)
	}
	s.n = 0
}

// Add puts an id in, and tells whether it was new. An id that is not valid is never in a set.
func (s *Set) Add(id core.ID) bool {
	if !id.Valid() {
		return false
	}
	if 2*(s.n+1) > len(s.table) {
		s.grow()
	}
	mask := uint64(len(s.table) - 1)
	for i := id.Hash() & mask; ; i = (i + 1) & mask {
		switch s.table[i] {
		case id:
			return false
		case 0:
			s.table[i] = id
			s.n++
			return true
		}
	}
}

// Has tells whether the id is in the set.
func (s *Set) Has(id core.ID) bool {
	if s.n == 0 || !id.Valid() {
		return false
	}
	mask := uint64(len(s.table) - 1)
	for i := id.Hash() & mask; ; i = (i + 1) & mask {
		switch s.table[i] {
		case id:
			return true
		case 0:
			return false
		}
	}
}

func (s *Set) grow() {
	old := s.table
	s.table = make([]core.ID, max(16, 2*len(old)))
	s.n = 0
	for _, id := range old {
		if id != 0 {
			s.Add(id)
		}
	}
}
