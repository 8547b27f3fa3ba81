package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

// Bounds on what a server may take; contexts may be shorter.
const (
	startLimit = 2 * time.Minute // recovery after a kill included
	stopLimit  = 20 * time.Second
	killLimit  = 10 * time.Second
)

// ErrNotOurs is returned by all that would change a server which another process
// has started: see Attach.
var ErrNotOurs = errors.New("the server belongs to another process")

// Server is one server of a stack. Its methods may be called at any time by
// anyone; those that change it take turns.
type Server struct {
	name    string
	dir     string
	logPath string
	opts    Options
	cluster *cluster // of ClickHouse
	lock    *os.File // shared with the child; nil: not ours
	logger  *zap.Logger

	turn sync.Mutex // held by Start, Stop, Kill, Freeze and Thaw

	mu      sync.Mutex // guards what follows
	addr    string
	options any
	child   *child // nil: never started
	frozen  []int  // the processes that stand still
	revival context.CancelFunc
}

// child is one life of a server.
type child struct {
	process *proc.Child
	stdin   *os.File // its end tells the child that we are gone
	server  int      // pid of the real server: the child, or what it supervises
	logFrom int64
	asked   bool // to end
	since   time.Time
	pause   time.Duration // before it, when it was started again
}

// Name is one of Names.
func (s *Server) Name() string { return s.name }

// Addr is host:port. It stays the same for all starts in one directory.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// PID of the real server process, 0 when it does not run. PostgreSQL's is that
// of its postmaster.
func (s *Server) PID() int {
	c := s.current()
	if c == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.server
}

// LogPath is the file that the server prints to.
func (s *Server) LogPath() string { return s.logPath }

// Exited returns a channel that is closed when the process that runs now ends.
// It is closed already when none runs.
func (s *Server) Exited() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		gone := make(chan struct{})
		close(gone)
		return gone
	}
	return s.child.process.Done()
}

// current is the running child, nil if there is none.
func (s *Server) current() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil || s.child.process.Ended() {
		return nil
	}
	return s.child
}

// Start starts the server, with the data that it left, and returns when it
// serves. A running one is left alone.
func (s *Server) Start(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.lock == nil {
		return fmt.Errorf("start %s: %w", s.name, ErrNotOurs)
	}
	return s.start(ctx)
}

// start is Start for whoever has the turn.
func (s *Server) start(ctx context.Context) error {
	if s.current() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready within %s", startLimit))
	defer cancel()
	if err := os.MkdirAll(s.dir, 0o711); err != nil { // PostgreSQL's user must pass through
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if s.name == Postgres {
		// Its port is free only when all its processes are gone.
		if err := postgres.AwaitEnd(ctx, s.dir); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
	}
	portFile := filepath.Join(s.dir, "port")
	for attempt := 1; ; attempt++ {
		addr, fresh, err := stackdir.ChoosePort(ctx, portFile)
		if err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
		err = s.launch(ctx, addr)
		if err == nil {
			return nil
		}
		// Somebody may have taken the port just chosen before the server did.
		if fresh && attempt < 3 && ctx.Err() == nil && stackdir.TryPort(ctx, addr) != nil {
			err = os.Remove(portFile)
			if err == nil {
				continue
			}
		}
		return fmt.Errorf("start %s: %w", s.name, err)
	}
}

// Stop ends the server in good order; a context that ends first makes it a Kill.
func (s *Server) Stop(ctx context.Context) error {
	s.giveUp()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.lock == nil {
		return fmt.Errorf("stop %s: %w", s.name, ErrNotOurs)
	}
	c := s.endable()
	if c == nil {
		return nil
	}
	if err := errors.Join(s.thaw(), c.process.Signal(syscall.SIGTERM)); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, fmt.Errorf("not stopped within %s", stopLimit))
	defer cancel()
	select {
	case <-c.process.Done():
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", s.name, errors.Join(context.Cause(ctx), s.kill(c)))
	}
	if err := c.process.Err(); err != nil {
		return fmt.Errorf("stop %s: %w%s", s.name, err, s.tail(c))
	}
	return nil
}

// Kill ends the server with SIGKILL, all of its processes at one moment, and
// returns when they are gone.
func (s *Server) Kill() error {
	s.giveUp()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.lock == nil {
		return fmt.Errorf("kill %s: %w", s.name, ErrNotOurs)
	}
	c := s.endable()
	if c == nil {
		return nil
	}
	if err := s.kill(c); err != nil {
		return fmt.Errorf("kill %s: %w", s.name, err)
	}
	return nil
}

// Restart is Stop and Start.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Freeze stops all processes of the server with SIGSTOP: it keeps its
// connections and answers nobody, as in a long pause. Returns when all stand
// still.
func (s *Server) Freeze() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.lock == nil {
		return fmt.Errorf("freeze %s: %w", s.name, ErrNotOurs)
	}
	c := s.current()
	if c == nil {
		return fmt.Errorf("freeze %s: it does not run", s.name)
	}
	tree, err := proc.StopTree(c.server)
	s.mu.Lock()
	s.frozen = tree
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("freeze %s: %w", s.name, err)
	}
	return nil
}

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.thaw(); err != nil {
		return fmt.Errorf("thaw %s: %w", s.name, err)
	}
	return nil
}

func (s *Server) thaw() error {
	s.mu.Lock()
	tree := s.frozen
	s.frozen = nil
	s.mu.Unlock()
	return proc.ContinueTree(tree)
}

// endable is the running child, marked as asked to end.
func (s *Server) endable() *child {
	c := s.current()
	if c != nil {
		s.mu.Lock()
		c.asked = true
		s.mu.Unlock()
	}
	return c
}

func (s *Server) kill(c *child) error {
	s.mu.Lock()
	s.frozen = nil
	s.mu.Unlock()
	err := proc.KillTree(c.server)
	// A supervisor ends by itself once it has reaped what was killed.
	if c.server != c.process.PID() && c.process.WaitFor(killLimit) {
		return err
	}
	if err = errors.Join(err, proc.KillTree(c.process.PID())); err != nil {
		return err
	}
	if !c.process.WaitFor(killLimit) {
		return fmt.Errorf("pid %d is still there %s after SIGKILL", c.process.PID(), killLimit)
	}
	return nil
}
