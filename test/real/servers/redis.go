//go:build linux

package servers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"syscall"

	"github.com/redis/rueidis"
)

// NewRedis plans a Redis of a test's own, which stores in dir, with more arguments. The caller starts and stops it.
func NewRedis(ctx context.Context, dir string, arguments ...string) (Server, error) {
	return newRedis(ctx, dir, arguments...)
}

// newRedis plans a Redis that loses nothing when it is killed.
func newRedis(ctx context.Context, dir string, arguments ...string) (*server, error) {
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
	if slices.Contains(arguments, "--cluster-enabled") {
		bus, err := busPort(ctx, dir)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, "--cluster-port", bus)
	}
	return &server{plan: plan{
		name: "redis", addr: addr, dir: dir,
		prepare: func(context.Context) error { return nil },
		command: func() *exec.Cmd {
			options := []string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--daemonize", "no"}
			if len(arguments) == 0 {
				options = append(options, "--appendonly", "yes", "--appendfsync", "always")
			}
			cmd := exec.Command(program, append(arguments, options...)...)
			cmd.Dir = dir
			return cmd
		},
		serving: func(ctx context.Context) error {
			client, err := rueidis.NewClient(rueidis.ClientOption{
				InitAddress: []string{addr}, ForceSingleClient: true,
				DisableCache: true,
			})
			if err != nil {
				return err
			}
			defer client.Close()
			return client.Do(ctx, client.B().Ping().Build()).Error() // also an error while it loads
		},
		stop: syscall.SIGTERM, whenOrphaned: syscall.SIGKILL,
	}}, nil
}

// busPort chooses the port by which nodes of a cluster talk: by itself it is 10,000 above the other, where an outgoing
// connection may have it.
func busPort(ctx context.Context, dir string) (string, error) {
	addr, err := choosePort(ctx, dir, "bus")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(addr)
	return port, err
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
