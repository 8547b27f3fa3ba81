package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// process is a process, with those it has started, whose use of the machine is counted apart.
type process struct {
	name string
	pid  func() int // 0: it does not run
	own  bool       // without its children: they are counted on their own
}

// generatorName is this process: it makes the load.
const generatorName = "generator"

func generator() process { return process{name: generatorName, pid: os.Getpid, own: true} }

// Usage is what a process used in a phase.
type Usage struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	Cores      float64 `json:"cores"` // on average
	// Resident memory, the most of the phase. Of several processes that share memory, such as
	// PostgreSQL's, each page counts once.
	MemoryBytes int64 `json:"memory_bytes"`
}

// Watching is the use of the machine from a moment on.
type Watching struct {
	on     *Environment
	began  time.Time
	before map[string]float64
	busy   float64
	memory map[string]int64
	stop   chan struct{}
	ended  sync.WaitGroup
}

// Watch begins to look at the processes: at the CPU now and at the end, at the memory each second.
func (on *Environment) Watch(each func(time.Duration)) *Watching {
	w := &Watching{
		on: on, began: time.Now(), before: on.cpu(), busy: busySeconds(), memory: map[string]int64{},
		stop: make(chan struct{}),
	}
	w.ended.Go(func() {
		ticks := time.NewTicker(time.Second)
		defer ticks.Stop()
		for {
			for _, p := range on.processes {
				w.memory[p.name] = max(w.memory[p.name], p.memory())
			}
			select {
			case <-ticks.C:
				if each != nil {
					each(time.Since(w.began))
				}
			case <-w.stop:
				return
			}
		}
	})
	return w
}

// End is what each of them has used since.
func (w *Watching) End() map[string]Usage {
	after, others, took := w.on.cpu(), busySeconds()-w.busy, time.Since(w.began).Seconds()
	close(w.stop)
	w.ended.Wait()
	usage := make(map[string]Usage, len(after))
	for name, seconds := range after {
		used := max(0, seconds-w.before[name]) // a server that was killed begins again
		usage[name] = Usage{CPUSeconds: used, Cores: used / took, MemoryBytes: w.memory[name]}
		others -= used
	}
	if others > 0 {
		usage[othersName] = Usage{CPUSeconds: others, Cores: others / took}
	}
	return usage
}

// othersName is whatever else kept the processors busy: what a figure was measured beside.
const othersName = "others"

// busySeconds is how long all processors have worked so far.
func busySeconds() (seconds float64) {
	line, _, _ := strings.Cut(read("/proc/stat"), "\n")
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, waiting for the disk; guests are counted already
			continue
		}
		ticks, _ := strconv.ParseFloat(field, 64) // the kernel writes numbers
		seconds += ticks / clockTick
	}
	return seconds
}

func (on *Environment) cpu() map[string]float64 {
	seconds := make(map[string]float64, len(on.processes))
	for _, p := range on.processes {
		seconds[p.name] += p.cpu()
	}
	return seconds
}

// clockTick is that of /proc on every Linux there is.
const clockTick = 100

// cpu is the processor time of a process and those it started, dead ones included once they were
// waited for.
func (p process) cpu() (seconds float64) {
	for _, pid := range p.pids() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended meanwhile
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		times := fields[11:15] // utime, stime, and those of children that were waited for
		if p.own {
			times = times[:2]
		}
		for _, field := range times {
			ticks, _ := strconv.ParseFloat(string(field), 64) // the kernel writes numbers
			seconds += ticks / clockTick
		}
	}
	return seconds
}

func (p process) memory() (total int64) {
	pids := p.pids()
	for _, pid := range pids {
		bytes, err := memoryOf(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
		if len(pids) == 1 || errors.Is(err, fs.ErrPermission) {
			bytes, _ = memoryOf(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:") // gone: nothing
		}
		total += bytes
	}
	return total
}

// memoryOf reads a number of kB from a file of /proc.
func memoryOf(file, key string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, key); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, nil
}

// pids are the process and, unless it stands for itself alone, all that it has started.
func (p process) pids() []int {
	root := p.pid()
	if root == 0 {
		return nil
	}
	if p.own {
		return []int{root}
	}
	children, err := proc.Descendants(root)
	if err != nil {
		return []int{root} // without a process table there is nothing to count
	}
	return append([]int{root}, children...)
}
