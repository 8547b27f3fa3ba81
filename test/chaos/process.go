package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/events/partition"
)

// process is a consumer of ours: this program, run again.
type process struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
	hits   chan hit
	done   chan struct{}
}

// hit says that a process has come to where it was told to act.
type hit struct {
	step      partition.Failpoint
	partition int32
}

// spawn starts a consumer that has an order from the beginning; "" is none.
func (d *drill) spawn(name, order string) (*process, error) {
	s := d.settings
	s.Order = order
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(d.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has it
	p := &process{cmd: exec.Command(program), hits: make(chan hit, 16), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), consumerEnv+"="+string(text))
	p.cmd.Stderr = log
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	reports, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(reports)
		for lines.Scan() {
			var h hit
			if _, err := fmt.Sscanf(lines.Text(), "at %s %d", &h.step, &h.partition); err == nil {
				select {
				case p.hits <- h:
				default:
				}
			}
		}
		_ = p.cmd.Wait() // how it ended is in its state
		d.spent.add(p.cmd.ProcessState)
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) order(line string) error {
	_, err := io.WriteString(p.orders, line+"\n")
	return err
}

// reached waits until the process is where it was told to act.
func (p *process) reached(ctx context.Context, limit time.Duration) (hit, bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case h := <-p.hits:
		return h, true
	case <-p.done:
		select {
		case h := <-p.hits:
			return h, true
		default:
			return hit{}, false
		}
	case <-ctx.Done():
		return hit{}, false
	}
}

// leave ends the process in good order: it leaves the group.
func (p *process) leave() error {
	_ = p.orders.Close() // it may be dead
	timer := time.NewTimer(leaveLimit)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("consumer %d did not leave within %s", p.cmd.Process.Pid, leaveLimit), p.kill())
	}
}

const leaveLimit = 40 * time.Second

// tellWhereItIs has the process write its goroutines to its log and end.
func (p *process) tellWhereItIs() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may be dead
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C: // it is frozen
	}
}

// kill is SIGKILL.
func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// wake continues a process that has stopped itself.
func (p *process) wake() error {
	return errors.Join(p.cmd.Process.Signal(syscall.SIGCONT), p.order("go"))
}
