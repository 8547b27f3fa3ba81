//go:build unix && !linux

package proc

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// There is no death signal here: children notice the end of their standard
// input instead.
func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}

// AdoptOrphans does nothing here: orphans go to the first process of the
// system, which reaps them.
func AdoptOrphans() error { return nil }

// ReapOrphans does nothing here.
func ReapOrphans() error { return nil }

// Table reads the process table.
func Table() ([]Process, error) {
	rows, err := ps("pid=,ppid=,state=")
	if err != nil {
		return nil, err
	}
	table := make([]Process, 0, len(rows))
	for _, fields := range rows {
		if len(fields) < 3 {
			continue
		}
		pid, pidErr := strconv.Atoi(fields[0])
		parent, parentErr := strconv.Atoi(fields[1])
		if pidErr == nil && parentErr == nil {
			table = append(table, Process{PID: pid, Parent: parent, State: fields[2][0]})
		}
	}
	return table, nil
}

// WorkingIn lists the processes that were started with dir as an argument, which
// is what can be seen here without privileges.
func WorkingIn(dir string) ([]int, error) {
	rows, err := ps("pid=,command=")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, fields := range rows {
		for _, arg := range fields[1:] {
			if pid, err := strconv.Atoi(fields[0]); arg == dir && err == nil {
				found = append(found, pid)
			}
		}
	}
	return found, nil
}

func ps(columns string) ([][]string, error) {
	out, err := exec.Command("ps", "-axo", columns).Output() //nolint:gosec // the columns are constants
	if err != nil {
		return nil, fmt.Errorf("process table: %w", err)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			rows = append(rows, fields)
		}
	}
	return rows, nil
}
