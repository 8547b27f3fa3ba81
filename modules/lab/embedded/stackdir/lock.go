package stackdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// ErrInUse is returned when another stack uses the directory.
var ErrInUse = errors.New("the directory is used by another stack")

// Lock takes the lock of dir. The children share the descriptor, and so the
// lock is free only when all processes of the last stack are gone: when that
// one was killed, its children need a moment, which is waited for.
func Lock(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := waitForLock(ctx, file, dir); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Truncate(0), writeAt(file, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), file.Close())
	}
	return file, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func waitForLock(ctx context.Context, file *os.File, dir string) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		// The holder may not have written its pid yet.
		if pid := Holder(file); pid > 0 && proc.Alive(pid) {
			return fmt.Errorf("%w: %s by pid %d: stop that one, or choose another directory", ErrInUse, dir, pid)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s, though pid %d, which began it, is gone", ErrInUse, dir, Holder(file))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the lock of %s: %w", dir, context.Cause(ctx))
		case <-poll.C:
		}
	}
}

// Holder is the pid in a lock, 0 if there is none.
func Holder(file *os.File) int {
	text := make([]byte, 32)
	n, _ := file.ReadAt(text, 0) // an end of file is expected
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}
