package hot

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Start begins to load and to follow. It does not wait: see Loaded.
func (s *Set) Start(context.Context) error {
	s.workers = worker.NewGroup(nil)
	s.workers.Go("hot set", s.follow)
	s.workers.Go("hot set lists", s.maintain)
	s.workers.Go("hot set unclear posts", s.resolve)
	return nil
}

// Stop ends the following and waits for it.
func (s *Set) Stop(ctx context.Context) error {
	if s.workers == nil {
		return nil
	}
	return s.workers.Stop(ctx)
}

// follow keeps the set current. Whatever fails is tried again: the set outlives ClickHouse.
func (s *Set) follow(ctx context.Context) error {
	s.loadUntilDone(ctx)
	refresh, recount, reload := time.NewTicker(s.cfg.RefreshEvery), time.NewTicker(s.cfg.RecountEvery),
		time.NewTicker(jittered(s.cfg.ReloadEvery))
	defer refresh.Stop()
	defer recount.Stop()
	defer reload.Stop()
	var settled <-chan time.Time // set after a truncate or a snapshot
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-refresh.C:
			began := s.clock.Now()
			s.step("refresh", func() error { return s.Refresh(ctx, false) })
			refresh.Reset(max(s.cfg.RefreshEvery, min(restTimes*s.clock.Now().Sub(began), maxRest)))
		case <-recount.C:
			s.step("recount", func() error { return s.Refresh(ctx, true) })
		case <-reload.C:
			s.step("load", func() error { return s.Load(ctx) })
		case <-s.reload:
			settled = time.After(settleAfter)
		case <-settled:
			s.loadUntilDone(ctx)
			settled = nil
			if s.unsettledWithin(settleFor) {
				settled = time.After(settleFor)
			}
		}
	}
}

// The more happened in this hour, and the busier ClickHouse is, the longer a refresh takes: it is followed
// by a rest of so many times that, within bounds.
const (
	restTimes = 9
	maxRest   = 2 * time.Second
)

// A truncate is on its way to ClickHouse, too. We load when it should be there, and once more when it
// is there even if the consumer was late.
const (
	settleAfter = time.Second
	settleFor   = 15 * time.Second
)

func (s *Set) unsettledWithin(d time.Duration) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.clock.Now().Sub(s.unsettled) < d
}

func (s *Set) loadUntilDone(ctx context.Context) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		if s.step("load", func() error { return s.Load(ctx) }) {
			return
		}
		if worker.Pause(ctx, jittered(pause)) != nil {
			return
		}
	}
}

// maintain ranks the lists and lets posts go that are too old, with ClickHouse or without.
func (s *Set) maintain(ctx context.Context) error {
	lists, expire := time.NewTicker(s.cfg.RankEvery), time.NewTicker(time.Minute)
	defer lists.Stop()
	defer expire.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-lists.C:
			s.rankLists()
		case <-expire.C:
			s.expire()
			s.keepLabels()
		}
	}
}

// step times one step, counts it if it fails, and logs when steps begin and cease to fail.
func (s *Set) step(name string, run func() error) (ok bool) {
	watch := core.StartStopwatch()
	err := run()
	s.metrics.seconds.WithLabelValues(name).Observe(watch.Elapsed().Seconds())
	switch {
	case err == nil:
		if s.metrics.failing.Swap(false) {
			s.log.Info("hot set follows ClickHouse again")
		}
		if name == "load" {
			status := s.Status()
			s.log.Info("hot set loaded", zap.Int("posts", status.Posts), zap.Int64("bytes", status.Bytes),
				zap.Duration("took", watch.Elapsed()))
		}
	case !errors.Is(err, context.Canceled):
		s.metrics.failures.WithLabelValues(name).Inc()
		if !s.metrics.failing.Swap(true) {
			s.log.Warn("hot set cannot follow ClickHouse; it keeps what it has", zap.String("step", name),
				zap.Error(err))
		}
	}
	return err == nil
}

func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
