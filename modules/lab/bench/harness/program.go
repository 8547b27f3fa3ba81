package harness

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Program is feedrank, as a process of its own.
type Program struct {
	Name      string
	Addr      string        // host:port
	AdminAddr string        // host:port of what is for operators
	Ready     time.Duration // from its start until it was ready
	cmd       *exec.Cmd
	done      chan struct{}
	ended     atomic.Bool
	tls       bool
}

// Bounds on what a program may take.
const (
	readyLimit = 2 * time.Minute
	stopLimit  = 45 * time.Second
)

// Serve starts feedrank with some roles (comma-separated) and settings (key=value) over those of the
// environment, and returns when it is ready. It ends with the bench, or by Stop.
func (on *Environment) Serve(ctx context.Context, name, roles string, set ...string) (*Program, error) {
	args := []string{"serve", "--roles", roles}
	if on.File != "" {
		args = append(args, "--config", on.File)
	}
	for _, s := range append([]string{
		"http.addr=127.0.0.1:0", "http.admin_addr=127.0.0.1:0", "log.level=info",
		"log.format=json",
	}, set...) {
		args = append(args, "--set", s)
	}
	p, err := on.start(ctx, name, on.Feedrank(args...), 2)
	if err != nil {
		return nil, err
	}
	p.tls = slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, "http.tls.") })
	if err := p.awaitReady(ctx); err != nil {
		return nil, err
	}
	on.programs = append(on.programs, p)
	on.Tell("%s: feedrank serve --roles %s, ready after %s", name, roles, p.Ready.Round(time.Millisecond))
	return p, nil
}

// start runs a command that logs at which addresses it listens, the last of them for operators.
func (on *Environment) start(ctx context.Context, name string, cmd *exec.Cmd, addresses int) (*Program, error) {
	log, err := os.Create(filepath.Join(on.Logs, name+".log"))
	if err != nil {
		return nil, err
	}
	lines, err := cmd.StderrPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	cmd.Cancel, cmd.SysProcAttr = nil, &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches us alone
	p := &Program{Name: name, cmd: cmd, done: make(chan struct{})}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	on.processes = append(on.processes, process{name: name, pid: p.PID})
	on.OnEnd(p.Stop)
	listening := make(chan string, addresses)
	go func() {
		defer close(p.done)
		follow(lines, log, listening)
		_ = p.cmd.Wait() // how it ended is in its state
		p.ended.Store(true)
		_ = log.Close() // what it held is written
	}()
	timeout := time.After(readyLimit)
	for range addresses {
		select {
		case p.AdminAddr = <-listening:
			p.Addr = cmp.Or(p.Addr, p.AdminAddr)
		case <-p.done:
			return nil, fmt.Errorf("%s ended before it listened: see %s", name, log.Name())
		case <-timeout:
			return nil, fmt.Errorf("%s does not listen after %s: see %s", name, readyLimit, log.Name())
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.Ready = time.Since(began)
	return p, nil
}

// follow copies a log and picks the addresses out of it.
func follow(from io.Reader, to io.Writer, listening chan<- string) {
	lines := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = to.Write(line) // a log that cannot be kept is no reason to stop
		var entry struct{ Msg, Addr string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			select {
			case listening <- entry.Addr:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Program) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	began := time.Now()
	return Until(ctx, 5*time.Millisecond, p.Name+" is ready", func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+"/readyz", nil)
		if err != nil {
			return false, err
		}
		response, err := client.Do(request)
		if err != nil {
			if p.ended.Load() {
				return false, fmt.Errorf("%s has ended", p.Name)
			}
			return false, nil // it is asked again
		}
		defer func() { _ = response.Body.Close() }()
		var health struct{ Status string }
		if err := json.NewDecoder(response.Body).Decode(&health); err != nil || health.Status != "ready" {
			return false, nil // it is asked again
		}
		p.Ready += time.Since(began)
		return true, nil
	})
}

// Refilled waits until the program has given Redis back what viewers saw and hid: it runs with the jobs, and
// the bench's Redis begins empty.
func (on *Environment) Refilled(ctx context.Context, p *Program) error {
	began := time.Now()
	err := Until(ctx, 100*time.Millisecond, "Redis is filled", func() (bool, error) {
		m, err := p.Metrics(ctx)
		return m["feedrank_refill_whole"] == 1, err
	})
	if err == nil {
		on.Tell("Redis was filled from the raw events in %s", time.Since(began).Round(100*time.Millisecond))
	}
	return err
}

// URL is where it answers.
func (p *Program) URL() string { return p.scheme() + p.Addr }

// AdminURL is where it answers operators.
func (p *Program) AdminURL() string { return p.scheme() + p.AdminAddr }

func (p *Program) scheme() string {
	if p.tls {
		return "https://"
	}
	return "http://"
}

// PID is 0 once it has ended.
func (p *Program) PID() int {
	if p.ended.Load() {
		return 0
	}
	return p.cmd.Process.Pid
}

// Stop ends it in good order. Stopping it twice is no mistake.
func (p *Program) Stop() error {
	if p.ended.Load() {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopLimit):
		return errors.Join(fmt.Errorf("%s has not stopped after %s", p.Name, stopLimit), p.Kill())
	}
}

// Kill is SIGKILL.
func (p *Program) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-p.done
	return nil
}

// Until asks again and again whether something holds, until it does or ctx ends.
func Until(ctx context.Context, every time.Duration, what string, holds func() (bool, error)) error {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		case <-ticks.C:
		}
	}
}
