package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

// launch starts the child and waits until it serves. If it does not come to
// that, nothing of it is left.
func (s *Server) launch(ctx context.Context, addr string) error {
	options, err := s.childOptions(ctx, addr)
	if err != nil {
		return err
	}
	c, ready, err := s.spawn(options)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.addr, s.options, s.child, s.frozen = addr, options, c, nil
	s.mu.Unlock()

	// The read ends with a line, or with the pipe when the child dies.
	lines := make(chan readiness, 1)
	go func() {
		defer close(lines)
		var r readiness
		line, err := bufio.NewReader(ready).ReadBytes('\n')
		if err == nil && json.Unmarshal(line, &r) == nil {
			lines <- r
		}
	}()
	defer func() { _ = ready.Close() }() // read to its end, or given up

	select {
	case r, served := <-lines:
		if served && r.Addr != addr {
			return errors.Join(fmt.Errorf("it serves on %s instead of %s", r.Addr, addr), s.discard(c))
		}
		if served {
			return s.adopt(c)
		}
		if !c.process.WaitFor(killLimit) {
			return errors.Join(errors.New("it neither serves nor ends"), s.discard(c))
		}
		return errors.Join(fmt.Errorf("it ended before it served: %w%s", exitOf(c), s.tail(c)), c.stdin.Close())
	case <-ctx.Done():
		err := errors.Join(context.Cause(ctx), s.discard(c))
		<-lines
		return fmt.Errorf("%w%s", err, s.tail(c))
	}
}

func exitOf(c *child) error {
	if err := c.process.Err(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}

// spawn runs this program again as the server.
func (s *Server) spawn(options any) (c *child, ready *os.File, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(options)
	if err != nil {
		return nil, nil, err
	}
	log, logFrom, err := stackdir.OpenLog(s.logPath)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	childStdin, stdin, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, childStdin.Close()) }()
	ready, childReady, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, stdin.Close())
	}
	defer func() { err = errors.Join(err, childReady.Close()) }()

	cmd := exec.Command(program)
	cmd.Args = []string{"feedrank-embedded-" + s.name}
	cmd.Env = append(os.Environ(), childEnv+"="+s.name, optionsEnv+"="+string(text))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = childStdin, log, log
	cmd.ExtraFiles = []*os.File{readyFD - 3: childReady, lockFD - 3: s.lock}
	process, err := proc.Start(cmd, deathSignal(s.name))
	if err != nil {
		return nil, nil, errors.Join(err, stdin.Close(), ready.Close())
	}
	return &child{process: process, stdin: stdin, server: process.PID(), logFrom: logFrom, since: time.Now()}, ready,
		nil
}

// adopt notes which process is the server, and watches the child until it ends.
func (s *Server) adopt(c *child) error {
	if s.name == Postgres {
		supervised, err := proc.Descendants(c.process.PID())
		if err != nil {
			return errors.Join(err, s.discard(c))
		}
		if len(supervised) > 0 {
			s.mu.Lock()
			c.server = supervised[0]
			s.mu.Unlock()
		}
	}
	go s.watch(c)
	return nil
}

// watch ends with the child, which ends with the stack.
func (s *Server) watch(c *child) {
	<-c.process.Done()
	_ = c.stdin.Close() // the reader is gone
	s.mu.Lock()
	asked := c.asked
	s.mu.Unlock()
	if !asked {
		s.logger.Warn("embedded server ended by itself", zap.String("server", s.name),
			zap.NamedError("exit", exitOf(c)), zap.String("log", s.logPath))
		if s.supervised() {
			s.revive(c)
		}
	}
}

// discard ends a child that never came to serve.
func (s *Server) discard(c *child) error {
	if s.name == Postgres {
		// Its supervisor must end what it has started.
		if err := c.stdin.Close(); err == nil && c.process.WaitFor(killLimit) {
			return nil
		}
	}
	err := s.kill(c)
	_ = c.stdin.Close() // nobody reads it
	return err
}

// tail is the end of what the child printed, for an error.
func (s *Server) tail(c *child) string {
	text := stackdir.LogTail(s.logPath, c.logFrom)
	if text == "" {
		return ""
	}
	return fmt.Sprintf("\n--- end of %s\n%s", s.logPath, text)
}
