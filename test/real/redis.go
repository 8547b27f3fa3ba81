//go:build linux

package real

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"syscall"

	"github.com/feedrank/feedrank/modules/platform/redis"
)

// newRedis plans a Redis that loses nothing when it is killed.
func newRedis(ctx context.Context, dir string) (*server, error) {
	program, err := find("redis-server", "/usr/bin/redis-server", "/usr/local/bin/redis-server")
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
	return &server{plan: plan{
		name: "redis", addr: addr, dir: dir,
		prepare: func(context.Context) error { return nil },
		command: func() *exec.Cmd {
			cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--dir", dir, //nolint:gosec // found above
				"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no")
			cmd.Dir = dir
			return cmd
		},
		serving: func(ctx context.Context) error {
			cfg := redis.DefaultConfig()
			cfg.Addrs = []string{addr}
			client := redis.New(cfg)
			defer client.Close()
			return client.Ping(ctx) // also an error while it loads
		},
		stop: syscall.SIGTERM, whenOrphaned: syscall.SIGKILL,
	}}, nil
}

// find returns the first program that is there: one in the PATH, or a path.
func find(name string, paths ...string) (string, error) {
	for _, path := range append([]string{name}, paths...) {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%w: there is no %s", ErrNotFetched, name)
}
