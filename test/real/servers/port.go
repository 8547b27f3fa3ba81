//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Ports are chosen below the range of outgoing connections, so that no client which dials a killed
// server is given that server's own port to dial from.
const (
	firstPort = 20000
	lastPort  = 32767
)

// choosePort returns the address noted in dir under name, or a free one, which it notes there.
func choosePort(ctx context.Context, dir, name string) (string, error) {
	note := filepath.Join(dir, name)
	text, err := os.ReadFile(note)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("port: %w", err)
	}
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		listener, listenErr := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err = listenErr; err != nil {
			continue
		}
		if err := errors.Join(listener.Close(), os.WriteFile(note, []byte(addr+"\n"), 0o600)); err != nil {
			return "", fmt.Errorf("port: %w", err)
		}
		return addr, nil
	}
	return "", fmt.Errorf("no free port between %d and %d on 127.0.0.1: %w", firstPort, lastPort, err)
}
