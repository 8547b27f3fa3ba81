//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// NewPostgres plans one more PostgreSQL, with settings that go over those of the stack's. It stores in dir, which its
// account must reach. The caller starts and stops it; DSNBy leads to its database postgres.
func NewPostgres(ctx context.Context, dir string, settings ...string) (Server, error) {
	return newPostgres(ctx, dir, settings...)
}

// NewStandby plans a physical standby of a primary that runs: it copies that at its first start, and follows it. The
// caller starts, promotes and stops it.
func NewStandby(ctx context.Context, dir string, primary Server) (Server, error) {
	return planPostgres(ctx, dir, func(ctx context.Context, bin, data string, as *account) error {
		return baseBackup(ctx, bin, data, as, primary.Addr())
	})
}

// newPostgres plans Debian's PostgreSQL, with the log that logical replication needs.
func newPostgres(ctx context.Context, dir string, settings ...string) (*server, error) {
	return planPostgres(ctx, dir, initdb, settings...)
}

func planPostgres(
	ctx context.Context, dir string, prepare func(ctx context.Context, bin, data string, as *account) error,
	settings ...string,
) (*server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	addr, err := choosePort(ctx, dir, "port")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	return &server{plan: plan{
		name: "postgres", addr: addr, dir: dir,
		prepare: func(ctx context.Context) error { return prepare(ctx, bin, data, as) },
		command: func() *exec.Cmd {
			args := []string{"-D", data}
			for _, setting := range append([]string{
				"listen_addresses=127.0.0.1", "port=" + port, "unix_socket_directories=",
				"wal_level=logical", "max_wal_senders=16", "max_replication_slots=16", "max_connections=100",
				"shared_memory_type=mmap", "dynamic_shared_memory_type=mmap", // nothing outlives a kill
				"shared_buffers=64MB", "jit=off", "max_logical_replication_workers=0",
				"fsync=off", // a killed process loses nothing by it, and no machine is cut off here
				"timezone=UTC", "log_timezone=UTC",
			}, settings...) { // the last of a name holds
				args = append(args, "-c", setting)
			}
			return as.command(data, filepath.Join(bin, "postgres"), args...)
		},
		serving: func(ctx context.Context) error { return ping(ctx, dsn(addr, "postgres")) },
		stop:    syscall.SIGINT, // do not wait for clients
		// Its supervisor, the postmaster, ends the others and clears up.
		whenOrphaned: syscall.SIGQUIT,
		killed:       func() func() { return locks(data) },
	}}, nil
}

// postgresBin finds version 15, else the highest that is installed.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for what is no version
		return n
	}
	if at := slices.IndexFunc(found, func(path string) bool { return version(path) == 15 }); at >= 0 {
		return filepath.Dir(found[at]), nil
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%w: there is no PostgreSQL in /usr/lib/postgresql", ErrNotFetched)
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// account is whom PostgreSQL, which refuses to run as root, runs as; nil is who we are.
type account struct{ uid, gid uint32 }

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil // see account
	}
	u, err := user.Lookup("postgres") // the package makes it
	if err != nil {
		return nil, fmt.Errorf("postgres does not run as root: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &account{uid: uint32(uid), gid: uint32(gid)}, errors.Join(err1, err2)
}

func (a *account) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.Dir = dir
	if a != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
	return cmd
}

// initdb makes the data directory, once.
func initdb(ctx context.Context, bin, data string, as *account) error {
	// Whoever reaches the loopback of this machine may log in: there is nothing in it but test data.
	return once(ctx, data, as, bin, "initdb", "-U", owner, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync",
		"--no-instructions")
}

// baseBackup copies the primary's, once, and says that it is a standby's.
func baseBackup(ctx context.Context, bin, data string, as *account, primary string) error {
	return once(ctx, data, as, bin, "pg_basebackup", "-d", dsn(primary, "postgres"), "-R", "-c", "fast", "--no-sync")
}

// once makes the data directory with a program: under its name only when it is whole.
func once(ctx context.Context, data string, as *account, bin, program string, args ...string) error {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	draft := data + ".part"
	if err := errors.Join(os.RemoveAll(draft), os.Mkdir(draft, 0o700)); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	if as != nil {
		if err := os.Chown(draft, int(as.uid), int(as.gid)); err != nil {
			return fmt.Errorf("postgres data: %w", err)
		}
	}
	cmd := as.command(draft, filepath.Join(bin, program), append([]string{"-D", draft}, args...)...)
	if err := run(ctx, cmd); err != nil {
		return fmt.Errorf("%s in %s: %w", program, draft, err)
	}
	if err := os.Rename(draft, data); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	return nil
}

// locks notes the pid file and the System V segment that are the running server's own locks, and
// returns how to remove them when the server was killed and cannot.
func locks(data string) func() {
	file := filepath.Join(data, "postmaster.pid")
	text, err := os.ReadFile(file)
	lines := strings.Split(string(text), "\n")
	if err != nil || len(lines) < 7 {
		return func() {}
	}
	fields := strings.Fields(lines[6]) // key, id
	if len(fields) != 2 {
		return func() {}
	}
	id, err := strconv.Atoi(fields[1])
	if err != nil {
		return func() {}
	}
	return func() { // an error: it is gone already
		_ = os.Remove(file)
		_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	}
}

// owner is the superuser. It must not be called as our schema, feedrank, is: PostgreSQL would look for
// the app's tables, and make them, there.
const owner = "app"

func dsn(addr, database string) string {
	return "postgres://" + owner + "@" + addr + "/" + database + "?sslmode=disable"
}

func ping(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}
