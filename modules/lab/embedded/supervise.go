package embedded

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Bounds of the pause before a server that ended unasked is started again. It doubles while the server does not live
// for steady.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 10 * time.Second
	steady     = 10 * time.Second
)

// supervised tells which servers are started again when they end unasked. ClickHouse's process ends for what a server
// would survive (see package clickhouse); any other's end is a fault that must be seen.
func (s *Server) supervised() bool { return s.name == ClickHouse }

// revive starts the server again after its process c ended unasked, unless somebody stops or starts it meanwhile.
func (s *Server) revive(c *child) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.mu.Lock()
	if c.asked {
		s.mu.Unlock()
		return
	}
	s.revival = cancel
	pause := firstPause
	if time.Since(c.since) < steady {
		pause = min(2*c.pause, lastPause)
		pause = max(pause, firstPause)
	}
	s.mu.Unlock()
	for {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		done, err := s.startAgain(ctx, c, pause)
		if done {
			return
		}
		s.logger.Warn("embedded server does not start again", zap.String("server", s.name), zap.Error(err))
		pause = min(2*pause, lastPause)
	}
}

func (s *Server) startAgain(ctx context.Context, after *child, pause time.Duration) (done bool, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	changed := ctx.Err() != nil || s.child != after && s.child != nil && !s.child.process.Ended()
	s.mu.Unlock()
	if changed {
		return true, nil
	}
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return ctx.Err() != nil, err
	}
	s.mu.Lock()
	s.child.pause = pause
	s.mu.Unlock()
	s.logger.Warn("embedded server was started again", zap.String("server", s.name), zap.String("addr", s.addr),
		zap.Duration("pause", pause), zap.Duration("start", time.Since(began)))
	return true, nil
}

// giveUp ends a revival under way: the server was asked for something else.
func (s *Server) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil {
		s.child.asked = true
	}
	if s.revival != nil {
		s.revival()
	}
}
