package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// pidFile is what a running server keeps in its data directory. Its first line
// is the process id; its seventh "key id" of the System V shared memory segment
// which is PostgreSQL's own lock. A server that was killed leaves it behind.
func pidFile(data string) string { return filepath.Join(data, "postmaster.pid") }

func pidFileField(data string, line, field int) (value int, ok bool) {
	text, err := os.ReadFile(pidFile(data))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(text), "\n")
	if line >= len(lines) {
		return 0, false
	}
	fields := strings.Fields(lines[line])
	if field >= len(fields) {
		return 0, false
	}
	value, err = strconv.Atoi(fields[field])
	return value, err == nil
}

// forgetStranger removes a stale pid file whose process id belongs to another
// program by now, for PostgreSQL would refuse to start. Only after endStale, and
// only under the lock of the stack: then no server uses the data.
func forgetStranger(data string) error {
	pid, ok := pidFileField(data, 0, 0)
	if !ok || !proc.Alive(pid) {
		return nil // PostgreSQL clears up after a dead one by itself
	}
	if err := os.Remove(pidFile(data)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stale pid file: %w", err)
	}
	return nil
}

// sharedMemory is the id of the segment of the server that runs in data.
func sharedMemory(data string) (id int, held bool) { return pidFileField(data, 6, 1) }

// removeSharedMemory removes the segment of a server that was killed. A failure
// means that the server has removed it itself.
func removeSharedMemory(id int) {
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
}
