//go:build linux || darwin

package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"go.uber.org/zap"
)

// server is the one of this process.
type server struct {
	Options
	Private string // the address of the native protocol that the gate passes on to
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Run runs the server on o.DataDir, calls ready with its address once it answers, and serves until ctx ends. It is
// meant for a process of its own: some faults end that, and nothing of the server can be left behind in another.
func Run(ctx context.Context, o Options, ready func(addr string)) error {
	s := &server{Options: o}
	s.Timezone = cmp.Or(o.Timezone, "UTC")
	for _, name := range append(slices.Collect(maps.Keys(o.Profile)), o.User, o.Database) {
		if !plainName.MatchString(name) {
			return fmt.Errorf("clickhouse: %q is no plain name", name)
		}
	}
	dir, err := filepath.Abs(o.DataDir)
	if err == nil {
		err = os.MkdirAll(dir, 0o750)
	}
	if err != nil {
		return fmt.Errorf("clickhouse data directory: %w", err)
	}
	s.DataDir = dir
	lock, err := lockDirectory(dir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := s.choosePrivate(ctx); err != nil {
		return err
	}
	// Servers run in UTC, and so does this one, wherever the machine is, unless it is asked for another.
	if err := os.Setenv("TZ", s.Timezone); err != nil {
		return err
	}
	lib, err := loadLibrary(o.Library)
	if err != nil {
		return err
	}
	if err := s.checkVersion(lib.version()); err != nil {
		return err
	}
	if err := s.writeFiles(); err != nil {
		return err
	}
	hold, ended, err := s.start(ctx, lib)
	if err != nil {
		return err
	}
	g, err := s.open(ctx)
	if err != nil {
		return err
	}
	ready(o.Addr)
	select {
	case err := <-ended:
		return fmt.Errorf("clickhouse ended by itself: %w: see engine.log in %s", err, dir)
	case <-ctx.Done():
	}
	g.close()
	if err := hold.Close(); err != nil {
		return err
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(drainTimeout):
		s.Logger.Warn("clickhouse is still at work and ends all the same", zap.Duration("after", drainTimeout))
		return nil
	}
}

// start runs the server until it answers. It ends when hold is closed.
func (s *server) start(ctx context.Context, lib *libchdb) (hold *os.File, ended <-chan error, err error) {
	pipe := filepath.Join(s.DataDir, "hold")
	if err := errors.Join(os.RemoveAll(pipe), syscall.Mkfifo(pipe, 0o600)); err != nil {
		return nil, nil, fmt.Errorf("clickhouse data directory: %w", err)
	}
	statements := "CREATE DATABASE IF NOT EXISTS " + s.Database + "; SYSTEM START LISTEN TCP; "
	if s.HTTPAddr != "" {
		statements += "SYSTEM START LISTEN HTTP; "
	}
	statements += "SELECT * FROM file('" + strings.ReplaceAll(pipe, "'", `\'`) + "', LineAsString)"
	end := make(chan error, 1)
	go func() {
		end <- lib.local("--config-file="+filepath.Join(s.DataDir, "config.xml"), "--path="+s.DataDir+"/",
			"--log-level=warning", "--query="+statements)
	}()
	var file *os.File
	opened := make(chan error, 1)
	go func() { // waits for the server to open the other end; with the process, if it never does
		var err error
		file, err = os.OpenFile(pipe, os.O_WRONLY, 0)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			return nil, nil, fmt.Errorf("clickhouse data directory: %w", err)
		}
		return file, end, s.greet(ctx)
	case err := <-end:
		if err == nil {
			err = errors.New("it says why in the lines before")
		}
		return nil, nil, fmt.Errorf("clickhouse ended before it served: %w", err)
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// greet asks the server for its version, and notes that it has written in this directory.
func (s *server) greet(ctx context.Context) error {
	client, err := ch.Dial(ctx,
		ch.Options{Address: s.Private, User: s.User, Password: s.Password, Database: s.Database})
	if err != nil {
		return fmt.Errorf("clickhouse does not answer on %s: %w", s.Private, err)
	}
	info := client.ServerInfo()
	version := fmt.Sprintf("%d.%d.%d\n", info.Major, info.Minor, info.Patch)
	return errors.Join(client.Ping(ctx), client.Close(),
		os.WriteFile(filepath.Join(s.DataDir, "version"), []byte(version), 0o600))
}

// checkVersion refuses a directory that a later version has written: an older one may misread it, and says so late.
func (s *server) checkVersion(ours string) error {
	text, err := os.ReadFile(filepath.Join(s.DataDir, "version"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clickhouse data directory: %w", err)
	}
	var written, our [2]int // the numbers that say how data is laid out; zeros where nothing was written
	_, _ = fmt.Sscanf(string(text), "%d.%d", &written[0], &written[1])
	_, _ = fmt.Sscanf(ours, "%d.%d", &our[0], &our[1])
	if slices.Compare(written[:], our[:]) > 0 {
		return fmt.Errorf("%s was written by ClickHouse %s, and this one is %s: run `make servers` for a later one, or choose another directory",
			s.DataDir, strings.TrimSpace(string(text)), ours)
	}
	return nil
}

// choosePrivate finds a second address of the loopback on which the same ports are free.
func (s *server) choosePrivate(ctx context.Context) error {
	err := s.free(ctx, hostOf(s.Addr))
	for _, host := range []string{"127.0.0.2", "::1"} {
		if err != nil {
			break
		}
		if err = s.free(ctx, host); err == nil {
			s.Private = beside(host, s.Addr)
			return nil
		}
		if host == "127.0.0.2" && !errors.Is(err, syscall.EADDRINUSE) {
			err = nil // a system with one IPv4 address of the loopback
		}
	}
	return fmt.Errorf("clickhouse: %w: end what uses the port, or choose another", err)
}

func (s *server) free(ctx context.Context, host string) error {
	for _, addr := range []string{s.Addr, s.HTTPAddr} {
		if addr == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", beside(host, addr))
		if err == nil {
			err = listener.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lockDirectory makes this process the only one that uses dir. The kernel drops the lock with the process.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("clickhouse data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use by another ClickHouse: end that one, or choose another directory", dir), f.Close())
	}
	return f, nil
}

// beside is the port of addr on another host.
func beside(host, addr string) string {
	_, port, _ := net.SplitHostPort(addr) // an empty port is refused where it is used
	return net.JoinHostPort(host, port)
}
