package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

const temporaryPrefix = "feedrank-embedded-"

// sweep removes the temporary stacks in folder whose processes were killed, and
// so could not: tests that run into their time limit would fill the disk.
func sweep(ctx context.Context, folder string) error {
	left, err := filepath.Glob(filepath.Join(folder, temporaryPrefix+"*"))
	if err != nil {
		return fmt.Errorf("temporary stacks: %w", err)
	}
	var errs []error
	for _, dir := range left {
		errs = append(errs, sweepOne(ctx, dir))
	}
	return errors.Join(errs...)
}

// sweepOne leaves alone what is not ours, what is in use, and what is just being
// made: only a lock that names a dead process is evidence.
func sweepOne(ctx context.Context, dir string) (err error) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil // gone meanwhile, or none of ours
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("temporary stack: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	pid := stackdir.Holder(file)
	if pid == 0 || proc.Alive(pid) || syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	if err := postgres.Remove(ctx, filepath.Join(dir, Postgres)); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("temporary stack: %w", err)
	}
	return nil
}
