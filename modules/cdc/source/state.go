package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// state is how the source is, for whoever asks whether this replica is ready.
type state struct {
	clock core.Clock

	mu       sync.Mutex
	err      error // why the last session ended; nil: the current one goes well
	since    time.Time
	waits    map[string]string // what the session waits for, by what is to be done then
	problems map[string]string // what is in the way of a table
}

func newState(clock core.Clock) *state {
	return &state{clock: clock, waits: map[string]string{}, problems: map[string]string{}}
}

// failed notes why a session ended. The time is that of the first of several failures.
func (s *state) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.since = s.clock.Now()
	}
	s.err = err
	clear(s.waits)
}

// well notes that the session goes well.
func (s *state) well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = nil
}

// standsBy notes that another replica leads: what is in the way of tables is for it to say.
func (s *state) standsBy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = nil
	clear(s.problems)
	clear(s.waits)
}

// wait notes what is waited for, empty: nothing, and tells whether that is news.
func (s *state) wait(todo, what string) bool { return s.note(s.waits, todo, what) }

// problem notes what is in the way of a table, empty: nothing, and tells whether that is news.
func (s *state) problem(table, what string) bool { return s.note(s.problems, table, what) }

func (s *state) note(all map[string]string, name, what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := all[name] != what
	all[name] = what
	return news
}

// Probe tells what keeps changes of the app's tables from being read by this replica. A replica that stands by is well.
func (s *Source) Probe(context.Context) error { return s.state.probe() }

func (s *state) probe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	if s.err != nil {
		all = append(all, fmt.Errorf("no change is read since %s: %w", s.since.UTC().Format(time.RFC3339), s.err))
	}
	for _, todo := range slices.Sorted(maps.Keys(s.waits)) {
		if what := s.waits[todo]; what != "" {
			all = append(all, fmt.Errorf("%s waits for %s", todo, what))
		}
	}
	for _, table := range slices.Sorted(maps.Keys(s.problems)) {
		if what := s.problems[table]; what != "" {
			all = append(all, fmt.Errorf("table %s %s", table, what))
		}
	}
	return errors.Join(all...)
}
