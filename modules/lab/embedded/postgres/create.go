package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// create makes the data directory on the first start. It appears under its name
// only when it is whole, so that a first start which was killed begins again.
func create(ctx context.Context, opts Options, native, data string, as *account) (err error) {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	draft, password := data+".part", data+".password"
	if err := errors.Join(os.RemoveAll(draft), os.RemoveAll(password)); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	if err := errors.Join(os.Mkdir(draft, 0o700), os.WriteFile(password, []byte(opts.Password), 0o600)); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(password)) }()
	if err := errors.Join(as.own(draft), as.own(password)); err != nil {
		return err
	}

	args := []string{
		"-D", draft, "-U", opts.User, "--pwfile=" + password, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale",
		// Nothing is lost if the machine dies now: the next start begins again.
		"--no-sync", "--no-instructions",
	}
	version, err := majorVersion(ctx, native)
	if err != nil {
		return err
	}
	if version >= 16 { // older ones do not know the option
		args = append(args, "-c", "dynamic_shared_memory_type=mmap")
	}
	cmd := exec.Command(filepath.Join(native, "bin", "initdb"), args...)
	as.apply(cmd)
	cmd.Dir = draft
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	initdb, err := proc.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-initdb.Done():
	case <-ctx.Done():
		err := errors.Join(context.Cause(ctx), proc.KillTree(initdb.PID()))
		<-initdb.Done()
		return errors.Join(err, proc.ReapOrphans())
	}
	if err := initdb.Err(); err != nil {
		return fmt.Errorf("initdb in %s: %w", draft, err)
	}
	if err := os.Rename(draft, data); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	return nil
}

// majorVersion asks the server which PostgreSQL it is. The pinned one is 18; tests bring older ones.
func majorVersion(ctx context.Context, native string) (int, error) {
	said, err := exec.CommandContext(ctx, filepath.Join(native, "bin", "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("version of postgres: %w", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(said), "postgres (PostgreSQL) %d", &major); err != nil {
		return 0, fmt.Errorf("version of postgres: %q: %w", said, err)
	}
	return major, nil
}
