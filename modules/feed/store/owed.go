package store

import (
	"context"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// maxOwed bounds the marks that wait for Redis to take them, about 50 bytes each.
const maxOwed = 1 << 16

// owed are the hides that Redis has not taken. A cached feed that outlives an outage of Redis would show them
// again for as long as it lives.
type owed struct {
	mu      sync.Mutex
	marks   []Mark
	dropped bool // there were too many: everybody's are to be read from the raw events
}

func (o *owed) add(marks []Mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marks)+len(marks) > maxOwed {
		o.dropped = true
		return
	}
	o.marks = append(o.marks, marks...)
}

func (o *owed) take() (marks []Mark, dropped bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	marks, dropped = o.marks, o.dropped
	o.marks, o.dropped = nil, false
	return marks, dropped
}

// Owed is how many hides Redis has not taken yet.
func (s *Store) Owed() int {
	s.owed.mu.Lock()
	defer s.owed.mu.Unlock()
	return len(s.owed.marks)
}

// payEvery is how often it is looked whether something is owed.
const payEvery = 250 * time.Millisecond

// Pay writes what is owed as soon as Redis takes it, until ctx ends. forgotten is called where there was more than
// could be remembered, until it returns nil.
func (s *Store) Pay(ctx context.Context, forgotten func(context.Context) error) error {
	lost := false
	for worker.Pause(ctx, payEvery) == nil {
		marks, dropped := s.owed.take()
		if lost = lost || dropped; len(marks) > 0 {
			_ = s.MarkHidden(ctx, marks) // what fails is owed again
		}
		if lost && s.Owed() == 0 && forgotten(ctx) == nil {
			lost = false
		}
	}
	return nil
}
