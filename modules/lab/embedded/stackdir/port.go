package stackdir

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
)

// ErrPortTaken is returned when another program listens on a server's port.
var ErrPortTaken = errors.New("the port is taken")

// Ports are chosen below the range that systems give to outgoing connections
// (from 32768 on Linux, 49152 elsewhere). In it, a client that keeps dialling a
// killed server may be given the server's own port to dial from, and then holds
// it against the server's return, or even connects to itself.
const (
	firstPort = 20000
	lastPort  = 32767
)

// ChoosePort returns the address in file, or a free one, which it writes there.
// fresh tells that it did.
func ChoosePort(ctx context.Context, file string) (addr string, fresh bool, err error) {
	text, err := os.ReadFile(file)
	if err == nil {
		port, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || port < 1 || port > 65535 {
			return "", false, fmt.Errorf("%s holds %q, which is no port: delete it to get another", file, text)
		}
		addr = loopback(port)
		if err := TryPort(ctx, addr); err != nil {
			return "", false, fmt.Errorf("%w: %s (%w); end the program that uses it, or delete %s to get another port",
				ErrPortTaken, addr, err, file)
		}
		return addr, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", false, fmt.Errorf("port: %w", err)
	}
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		addr = loopback(port)
		if err = TryPort(ctx, addr); err != nil {
			continue
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
			return "", false, fmt.Errorf("port: %w", err)
		}
		return addr, true, nil
	}
	return "", false, fmt.Errorf("no free port between %d and %d on 127.0.0.1: %w", firstPort, lastPort, err)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// TryPort tells whether an address can be listened on.
func TryPort(ctx context.Context, addr string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return listener.Close()
}
