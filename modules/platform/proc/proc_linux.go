package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func setDeathSignal(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

// AdoptOrphans makes grandchildren whose parent dies children of this process,
// which has to reap them: see ReapOrphans.
func AdoptOrphans() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become a subreaper: %w", err)
	}
	return nil
}

// ReapOrphans kills and reaps every child of this process, until none is left.
// Only for a process that waits for no other child of its own.
func ReapOrphans() error {
	self := os.Getpid()
	for {
		orphans, err := Descendants(self)
		if err != nil {
			return err
		}
		for _, pid := range orphans {
			if err := signal(pid, syscall.SIGKILL); err != nil {
				return err
			}
		}
		_, err = syscall.Wait4(-1, nil, 0, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("reap orphans: %w", err)
		}
	}
}

// Table reads the process table.
func Table() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("process table: %w", err)
	}
	table := make([]Process, 0, len(entries))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		// pid (command) state parent …; the command may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		parent, err := strconv.Atoi(string(fields[1]))
		if err != nil {
			continue
		}
		table = append(table, Process{PID: pid, Parent: parent, State: fields[0][0]})
	}
	return table, nil
}

// WorkingIn lists the processes whose working directory is dir.
func WorkingIn(dir string) ([]int, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("processes in %s: %w", dir, err)
	}
	table, err := Table()
	if err != nil {
		return nil, err
	}
	var found []int
	for _, p := range table {
		cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "cwd"))
		if err == nil && cwd == dir {
			found = append(found, p.PID)
		}
	}
	return found, nil
}
