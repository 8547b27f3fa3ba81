//go:build linux

package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// NewPgBouncer plans a pooler in transaction mode before PostgreSQL, with more lines of its configuration. It stores in
// dir, and has fewer connections to the server than clients have to it. The caller starts and stops it.
func (s *Stack) NewPgBouncer(ctx context.Context, dir, more string) (Server, error) {
	program, err := find("pgbouncer", "/usr/sbin/pgbouncer")
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
	host, serverPort, err := net.SplitHostPort(s.Postgres.Addr())
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n%s\n", host, serverPort,
		owner, port, more)
	return &server{plan: plan{
		name: "pgbouncer", addr: addr, dir: dir,
		// another user reads it
		prepare: func(context.Context) error { return os.WriteFile(file, []byte(text), 0o644) },
		command: func() *exec.Cmd { return as.command(dir, program, file) },
		serving: func(ctx context.Context) error { return ping(ctx, dsn(addr, "postgres")) },
		stop:    syscall.SIGTERM, whenOrphaned: syscall.SIGKILL,
	}}, nil
}

// DSNBy is the DSN of a database by way of another server.
func DSNBy(server Server, database string) string { return dsn(server.Addr(), database) }
