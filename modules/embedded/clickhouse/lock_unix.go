//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// lockDirectory makes this process the only one that has dir open. The kernel drops the lock with the process, however it
// ends, so a killed server never leaves a stale one.
func lockDirectory(dir string) (*os.File, error) {
	path := filepath.Join(dir, ".lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("clickhouse data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := make([]byte, 32)
		n, _ := f.Read(owner)
		_ = f.Close()
		return nil, fmt.Errorf("clickhouse data directory %s is in use by another process (pid %s): %w", dir, bytes.TrimSpace(owner[:n]), err)
	}
	// The process id is for the message above; the lock does not depend on it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}
