package daily

import (
	"context"
	"sync"
	"time"
)

// Store adds to the counts of a day; see store.AddServed.
type Store interface {
	AddServed(ctx context.Context, day time.Time, counts map[string]int64) error
}

// Served counts the pages of this replica by day and by where they came from, until the store has
// them. What a store that is away does not take stays here.
type Served struct {
	store   Store
	mu      sync.Mutex
	day     time.Time
	counts  map[string]int64
	waiting map[time.Time]map[string]int64
}

// maxWaiting bounds the days that wait for a store that is away.
const maxWaiting = 7

// NewServed starts counting.
func NewServed(store Store) *Served {
	return &Served{store: store, counts: map[string]int64{}, waiting: map[time.Time]map[string]int64{}}
}

// Count counts a page.
func (s *Served) Count(now time.Time, from string) {
	day := now.UTC().Truncate(24 * time.Hour)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !day.Equal(s.day) {
		s.setAside()
		s.day = day
	}
	s.counts[from]++
}

// setAside moves the counts to those that wait.
func (s *Served) setAside() {
	if len(s.counts) == 0 {
		return
	}
	s.back(s.day, s.counts)
	s.counts = map[string]int64{}
}

func (s *Served) back(day time.Time, counts map[string]int64) {
	into := s.waiting[day]
	if into == nil {
		if len(s.waiting) == maxWaiting {
			return
		}
		into = map[string]int64{}
		s.waiting[day] = into
	}
	for from, n := range counts {
		into[from] += n
	}
}

// Flush hands the counts to the store.
func (s *Served) Flush(ctx context.Context) error {
	s.mu.Lock()
	s.setAside()
	waiting := s.waiting
	s.waiting = map[time.Time]map[string]int64{}
	s.mu.Unlock()
	var failed error
	for day, counts := range waiting {
		if err := s.store.AddServed(ctx, day, counts); err != nil {
			failed = err
			s.mu.Lock()
			s.back(day, counts)
			s.mu.Unlock()
		}
	}
	return failed
}

const (
	flushEvery = 5 * time.Second
	flushFor   = time.Second
)

// Run flushes now and then, and once more at the end.
func (s *Served) Run(ctx context.Context) error {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushFor)
			defer cancel()
			_ = s.Flush(last) // a replica that stops without Redis takes its last counts along
			return nil
		case <-ticker.C:
			bounded, cancel := context.WithTimeout(ctx, flushFor)
			_ = s.Flush(bounded) // they wait for the next time
			cancel()
		}
	}
}
