package absent

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Start reads who is absent, and follows. It waits for the first reading, so that no page is made before, but not
// for long: a server that is away is no reason not to start.
func (s *Set) Start(ctx context.Context) error {
	if s.source == nil {
		return nil
	}
	s.workers = worker.NewGroup(nil)
	first := make(chan struct{})
	s.workers.Go(s.words.task, func(ctx context.Context) error { return s.follow(ctx, func() { close(first) }) })
	select {
	case <-first:
	case <-time.After(startFor):
	case <-ctx.Done():
	}
	return nil
}

// Stop ends the following and waits for it.
func (s *Set) Stop(ctx context.Context) error {
	if s.workers == nil {
		return nil
	}
	return s.workers.Stop(ctx)
}

const (
	startFor = 2 * time.Second // Start waits at most
	firstFor = time.Second     // then PostgreSQL is asked
	retry    = 2 * time.Second
	// a reading that was asked for is preceded by a rest of so many times what the last one took
	restTimes = 9
	settle    = time.Second      // after a change that only ClickHouse can tell of
	settled   = 15 * time.Second // it has it, even if the consumer was late
)

// follow reads everybody again when that is due. read is called after the first attempt.
func (s *Set) follow(ctx context.Context, read func()) error {
	next := time.NewTimer(s.load(ctx, firstFor))
	defer next.Stop()
	read()
	var (
		took       time.Duration
		asked, yet bool // for a reading before its time; for one more after that
	)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.reload:
			if !asked {
				next.Reset(max(settle, restTimes*took))
			}
			asked, yet = true, true
		case <-next.C:
			began := s.clock.Now()
			wait := s.load(ctx, s.cfg.LoadTimeout)
			took, asked = s.clock.Now().Sub(began), false
			if yet {
				wait, yet = settled, false
			}
			next.Reset(wait)
		}
	}
}

// load reads everybody, and says when to read again.
func (s *Set) load(ctx context.Context, within time.Duration) (next time.Duration) {
	began := s.clock.Now()
	people, err := read(ctx, s.source, within, s.cfg.MaxPeople+1)
	if err == nil {
		s.install(people, began, whole)
		if s.failed {
			s.log.Info(s.words.again)
		}
		s.failed = false
		return s.cfg.ReloadEvery
	}
	s.metrics.failures.Inc()
	if !s.failed && !errors.Is(err, context.Canceled) {
		s.log.Warn(s.words.cannot, zap.Error(err))
	}
	s.failed = true
	if s.state.Load() == nothing && s.substitute != nil {
		if people, err = read(ctx, s.substitute, s.cfg.LoadTimeout, s.cfg.MaxPeople+1); err == nil {
			s.install(people, began, partly)
		}
	}
	return retry
}

func read(ctx context.Context, source Source, within time.Duration, limit int) ([]core.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return source(ctx, limit)
}

// install puts people in place of those who were there; what was heard lately stands.
func (s *Set) install(people []core.ID, began time.Time, from int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := max(0, len(people)-s.cfg.MaxPeople)
	fresh := newTable(len(people))
	for _, id := range people[:len(people)-left] {
		if id.Valid() && !fresh.has(id) {
			fresh.add(id)
		}
	}
	s.full.Store(left > 0)
	s.metrics.leftOut.Add(float64(left))
	s.table.Store(fresh)
	s.forget(began.Add(-s.trust))
	for id, n := range s.heard {
		if n.absent {
			s.put(id)
		} else {
			s.table.Load().remove(id)
		}
	}
	s.state.Store(from)
}
