package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// ErrParentGone is the cause of a child's context when its parent died. What a
// child then does must be quick, and needs not be clean.
var ErrParentGone = errors.New("the parent process is gone")

// Process is one row of the process table.
type Process struct {
	PID, Parent int
	State       byte // as ps shows it: T is stopped, Z a zombie
}

// Child is a started process.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts cmd in a process group of its own, so that a terminal's Ctrl-C
// reaches only the parent, which stops its children in order. Where the system
// can, the child gets the signal whenDead once this process has died.
func Start(cmd *exec.Cmd, whenDead syscall.Signal) (*Child, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	setDeathSignal(cmd.SysProcAttr, whenDead)

	c := &Child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The signal is sent when the *thread* that forked exits, not the
		// process: keep that thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = cmd.Wait()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return c, nil
}

// PID of the child.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed once the child has ended and was reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// Ended tells whether Done is closed.
func (c *Child) Ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Err says how the child ended; nil is exit status 0. Only after Done.
func (c *Child) Err() error { return c.err }

// Signal sends sig. A child that has ended already is no error.
func (c *Child) Signal(sig os.Signal) error {
	if err := c.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v to %s (pid %d): %w", sig, c.cmd.Path, c.PID(), err)
	}
	return nil
}

// WaitFor waits until the child ended, at most limit.
func (c *Child) WaitFor(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// Descendants of pid, parents before their children.
func Descendants(pid int) ([]int, error) {
	table, err := Table()
	if err != nil {
		return nil, err
	}
	var found []int
	for level := []int{pid}; len(level) > 0; {
		var next []int
		for _, p := range table {
			if slices.Contains(level, p.Parent) {
				next = append(next, p.PID)
			}
		}
		found = append(found, next...)
		level = next
	}
	return found, nil
}

// Alive tells whether pid runs (or is stopped); a zombie does not.
func Alive(pid int) bool {
	table, err := Table()
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	return slices.ContainsFunc(table, func(p Process) bool {
		return p.PID == pid && p.State != 'Z' && p.State != 'X'
	})
}

// StopTree stops root and its descendants and returns their ids once all of
// them stand still. The root goes first, so that it forks no more meanwhile.
func StopTree(root int) ([]int, error) {
	if err := signal(root, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	rest, err := Descendants(root)
	if err != nil {
		return nil, err
	}
	tree := append([]int{root}, rest...)
	for _, pid := range rest {
		if err := signal(pid, syscall.SIGSTOP); err != nil {
			return nil, err
		}
	}
	return tree, waitUntil(tree, haltLimit, "stopped", func(state byte) bool {
		return state == 'T' || state == 'Z' || state == 'X'
	})
}

// ContinueTree undoes StopTree: descendants first, so that the root finds them
// running.
func ContinueTree(tree []int) error {
	var errs []error
	for _, pid := range slices.Backward(tree) {
		errs = append(errs, signal(pid, syscall.SIGCONT))
	}
	return errors.Join(errs...)
}

// KillTree kills root and all its descendants at one moment, as a machine that
// loses power does, and returns once none of them runs: the ports and files that
// they held are free.
func KillTree(root int) error {
	tree, err := StopTree(root)
	if err != nil {
		tree = []int{root}
	}
	var errs []error
	for _, pid := range tree {
		errs = append(errs, signal(pid, syscall.SIGKILL))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return waitUntil(tree, killLimit, "gone", func(state byte) bool { return state == 'Z' || state == 'X' })
}

// signal treats a process that is gone as signalled.
func signal(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %v to pid %d: %w", sig, pid, err)
	}
	return nil
}

// Bounds on what the kernel may take.
const (
	haltLimit = 2 * time.Second
	killLimit = 10 * time.Second
)

// waitUntil polls until every process of tree that is still there is in a state
// that holds: nobody but a tracer is told what becomes of a grandchild.
func waitUntil(tree []int, limit time.Duration, what string, holds func(state byte) bool) error {
	late := time.After(limit)
	for {
		table, err := Table()
		if err != nil {
			return err
		}
		waiting := slices.ContainsFunc(table, func(p Process) bool {
			return slices.Contains(tree, p.PID) && !holds(p.State)
		})
		if !waiting {
			return nil
		}
		select {
		case <-late:
			return fmt.Errorf("processes %v are not %s after %s", tree, what, limit)
		case <-time.After(time.Millisecond):
		}
	}
}
