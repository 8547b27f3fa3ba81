//go:build linux

package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// Server is one server of a stack. Its methods may be called at any time by anyone.
type Server interface {
	// Name is kafka, connect, postgres, redis or clickhouse.
	Name() string
	// Addr is host:port, the same for all of its lives.
	Addr() string
	// PID of the process, 0 when it does not run.
	PID() int
	// Start starts it with the data that it left and returns when it serves. One that runs is left alone.
	Start(ctx context.Context) error
	// Stop ends it in good order.
	Stop(ctx context.Context) error
	// Kill ends it and what it has started with SIGKILL and returns when all are gone.
	Kill() error
	// Freeze stops it with SIGSTOP: it keeps its connections and answers nobody.
	Freeze() error
	// Thaw lets it go on.
	Thaw() error
}

// Bounds on what a server may take; contexts may be shorter.
const (
	startLimit = 2 * time.Minute
	stopLimit  = 30 * time.Second
)

var errEndedWell = errors.New("exit status 0")

// plan says how one server is run.
type plan struct {
	name string
	addr string
	dir  string
	// prepare makes what the first start needs; later ones find it there.
	prepare func(ctx context.Context) error
	command func() *exec.Cmd
	// serving returns nil once it answers.
	serving      func(ctx context.Context) error
	stop         syscall.Signal
	whenOrphaned syscall.Signal
	// killed, if any, clears up after a SIGKILL what the server would have.
	killed func() func()
}

// server runs a plan.
type server struct {
	plan

	turn   sync.Mutex // held by whoever changes it
	mu     sync.Mutex // guards what follows
	life   *proc.Child
	frozen []int
}

var _ Server = (*server)(nil)

func (s *server) Name() string { return s.name }

func (s *server) Addr() string { return s.addr }

func (s *server) PID() int {
	if p := s.current(); p != nil {
		return p.PID()
	}
	return 0
}

func (s *server) current() *proc.Child {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil || s.life.Ended() {
		return nil
	}
	return s.life
}

func (s *server) logPath() string { return s.dir + ".log" }

func (s *server) Start(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.current() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready within %s", startLimit))
	defer cancel()
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("start %s: %w%s", s.name, err, s.tail())
	}
	return nil
}

func (s *server) launch(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = log, log
	p, err := proc.Start(cmd, s.whenOrphaned)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.life, s.frozen = p, nil
	s.mu.Unlock()
	if err := s.await(ctx, p); err != nil {
		return errors.Join(err, s.kill(p))
	}
	return nil
}

// await asks until the server answers or ends.
func (s *server) await(ctx context.Context, p *proc.Child) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := s.serving(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("it ended before it served: %w", cmp.Or(p.Err(), errEndedWell))
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-again.C:
		}
	}
}

func (s *server) Stop(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	p := s.current()
	if p == nil {
		return nil
	}
	if err := errors.Join(s.thaw(), p.Signal(s.stop)); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, fmt.Errorf("not stopped within %s", stopLimit))
	defer cancel()
	select {
	case <-p.Done():
		return nil // a JVM that ends on SIGTERM says 143
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w%s", s.name, errors.Join(context.Cause(ctx), s.kill(p)), s.tail())
	}
}

func (s *server) Kill() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	p := s.current()
	if p == nil {
		return nil
	}
	if err := s.kill(p); err != nil {
		return fmt.Errorf("kill %s: %w", s.name, err)
	}
	return nil
}

func (s *server) kill(p *proc.Child) error {
	if s.killed != nil {
		defer s.killed()()
	}
	s.mu.Lock()
	s.frozen = nil
	s.mu.Unlock()
	err := proc.KillTree(p.PID())
	if !p.WaitFor(stopLimit) {
		return errors.Join(err, fmt.Errorf("pid %d is still there %s after SIGKILL", p.PID(), stopLimit))
	}
	return err
}

func (s *server) Freeze() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	p := s.current()
	if p == nil {
		return fmt.Errorf("freeze %s: it does not run", s.name)
	}
	tree, err := proc.StopTree(p.PID())
	s.mu.Lock()
	s.frozen = tree
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("freeze %s: %w", s.name, err)
	}
	return nil
}

func (s *server) Thaw() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.thaw(); err != nil {
		return fmt.Errorf("thaw %s: %w", s.name, err)
	}
	return nil
}

func (s *server) thaw() error {
	s.mu.Lock()
	tree := s.frozen
	s.frozen = nil
	s.mu.Unlock()
	return proc.ContinueTree(tree)
}

// tail is the end of the log, for an error.
func (s *server) tail() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Sprintf("\n--- end of %s\n%s", filepath.Base(s.logPath()),
		strings.Join(lines[max(0, len(lines)-15):], "\n"))
}
