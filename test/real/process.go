//go:build linux

package real

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// process is one life of a server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; only after done
}

// start runs cmd in a process group of its own, so that a terminal's Ctrl-C reaches us alone.
// whenOrphaned is the signal that it gets once we are dead.
func start(cmd *exec.Cmd, whenOrphaned syscall.Signal) (*process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, whenOrphaned
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel watches the thread that forked, not the process: keep it as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) waitFor(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// exit says how it ended.
func (p *process) exit() error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}

// freezeTree stops root and what it has started, and returns them when all stand still. The root
// goes first, so that it forks no more.
func freezeTree(root int) ([]int, error) {
	if err := send(syscall.SIGSTOP, root); err != nil {
		return nil, err
	}
	children, err := descendants(root)
	if err != nil {
		return nil, err
	}
	tree := append([]int{root}, children...)
	if err := send(syscall.SIGSTOP, children...); err != nil {
		return tree, err
	}
	return tree, poll(2*time.Second, func() (bool, error) {
		return all(tree, func(state byte) bool { return state == 'T' || state == 'Z' || state == 0 })
	})
}

// killTree kills root and what it has started at one moment, as a power cut does, and returns when
// they are gone.
func killTree(root int) error {
	tree, err := freezeTree(root)
	if err != nil {
		tree = []int{root}
	}
	if err := send(syscall.SIGKILL, tree...); err != nil {
		return err
	}
	return poll(10*time.Second, func() (bool, error) {
		return all(tree, func(state byte) bool { return state == 'Z' || state == 0 })
	})
}

// send treats a process that is gone as told.
func send(sig syscall.Signal, pids ...int) error {
	var errs []error
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("signal %v to pid %d: %w", sig, pid, err))
		}
	}
	return errors.Join(errs...)
}

var errTooLong = errors.New("took too long")

// poll asks every few milliseconds: nobody is told about what becomes of a grandchild.
func poll(limit time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: more than %s", errTooLong, limit)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func all(pids []int, holds func(state byte) bool) (bool, error) {
	table, err := processes()
	if err != nil {
		return false, err
	}
	for _, pid := range pids {
		if !holds(table[pid].state) { // zero: gone
			return false, nil
		}
	}
	return true, nil
}

type row struct {
	parent int
	state  byte // as ps shows it
}

func descendants(pid int) ([]int, error) {
	table, err := processes()
	if err != nil {
		return nil, err
	}
	var found []int
	for level := []int{pid}; len(level) > 0; {
		var next []int
		for child, r := range table {
			if slices.Contains(level, r.parent) {
				next = append(next, child)
			}
		}
		found = append(found, next...)
		level = next
	}
	return found, nil
}

// processes reads the process table.
func processes() (map[int]row, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	table := make(map[int]row, len(files))
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		// pid (command) state parent …; the command may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if err != nil || len(fields) < 2 {
			continue
		}
		parent, err := strconv.Atoi(string(fields[1]))
		if err != nil {
			continue
		}
		table[pid] = row{parent: parent, state: fields[0][0]}
	}
	return table, nil
}
