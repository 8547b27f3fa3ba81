//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// server accepts clients and runs one goroutine for each.
type server struct {
	options Options
	engine  *engine
	log     *zap.Logger

	// slots bounds the engine calls in progress; each takes a thread of this process.
	slots chan struct{}

	lastQuery atomic.Uint64
	mu        sync.Mutex
	conns     map[*conn]struct{}
	running   map[uint64]*running
	draining  bool
	handlers  sync.WaitGroup
}

func newServer(o Options, e *engine) *server {
	return &server{
		options: o, engine: e, log: o.Logger,
		slots:   make(chan struct{}, o.MaxQueries),
		conns:   make(map[*conn]struct{}),
		running: make(map[uint64]*running),
	}
}

// acceptPause is how long to wait when no connection can be accepted, for instance for want of file descriptors.
const acceptPause = 50 * time.Millisecond

// serve accepts clients until ctx ends, then drains. It closes ln.
func (s *server) serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			s.handlers.Go(func() { s.handle(nc) })
		case ctx.Err() != nil:
			return s.drain()
		case errors.Is(err, net.ErrClosed):
			return errors.Join(fmt.Errorf("clickhouse accept: %w", err), s.drain())
		default:
			s.log.Warn("clickhouse accept", zap.Error(err))
			pause := time.NewTimer(acceptPause)
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
			pause.Stop()
		}
	}
}

// handle serves one client. Whatever it sends, and whatever goes wrong with it, stays with it.
func (s *server) handle(nc net.Conn) {
	c := newConn(s, nc)
	defer c.close()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("clickhouse connection panicked", zap.Any("panic", p), zap.Stack("stack"))
		}
	}()
	if !s.register(c) {
		c.refuse(exceptionf(codeTooManyConnections, "Too many connections: at most %d are accepted", s.options.MaxConnections))
		return
	}
	defer s.forget(c)
	if err := c.serve(); err != nil {
		s.log.Debug("clickhouse connection ended", zap.Error(err))
	}
}

func (s *server) register(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining || len(s.conns) >= s.options.MaxConnections {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// setBusy notes that a client's query begins or ends. It returns false if no more queries may begin.
func (s *server) setBusy(c *conn, busy bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.busy = busy
	return !s.draining
}

// drain lets running queries end, then cancels them, then gives up on them.
func (s *server) drain() error {
	const grace = 5 * time.Second
	s.mu.Lock()
	s.draining = true
	for c := range s.conns {
		if !c.busy {
			_ = c.nc.Close()
		}
	}
	s.mu.Unlock()

	done := make(chan struct{})
	go func() {
		s.handlers.Wait()
		close(done)
	}()
	if waitFor(done, s.options.DrainTimeout) {
		return nil
	}
	s.mu.Lock()
	for c := range s.conns {
		_ = c.nc.Close()
	}
	var ids []uint64
	for id := range s.running {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	s.log.Warn("clickhouse queries outlast the stop and are cancelled", zap.Int("queries", len(ids)))
	for _, id := range ids {
		if err := s.engine.kill(id); err != nil {
			s.log.Warn("clickhouse cancel", zap.Error(err))
		}
	}
	if waitFor(done, grace) {
		return nil
	}
	return fmt.Errorf("clickhouse: %d queries did not end within %s", len(ids), s.options.DrainTimeout+grace)
}

func waitFor(done <-chan struct{}, limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
