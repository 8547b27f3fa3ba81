package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/partition"
)

// trial is one measurement: the drill without disturbances, with one consumer process, so that what it
// uses is known apart. The comparison at the end is the drill's: speed counts only if it is exact.
type trial struct {
	name string
	options
}

// trials are a quiet rate, a busy one, a backlog worked off at full speed, what a kill costs, and what an outage of
// ClickHouse does.
func trials(seed uint64, keys core.KeyForm, length, outage time.Duration, backlog int) []trial {
	quiet := options{seed: seed, keys: keys, partitions: 4, hosts: 1, drain: time.Minute, warm: 3 * time.Second}
	at := func(rate int) options {
		o := quiet
		o.rate, o.records = rate, int((length+o.warm).Seconds()*float64(rate))
		return o
	}
	full := quiet
	full.records, full.backlog = backlog, true
	killed := at(10_000)
	for range 3 {
		killed.consumers = append(killed.consumers, action{killConsumer, partition.AtInserted})
	}
	away := at(10_000)
	away.away, away.records = outage, away.records+int(outage.Seconds())*away.rate
	away.servers = []action{{awayClickHouse, partition.AtInserted}}
	return []trial{{"1k/s", at(1000)}, {"10k/s", at(10_000)}, {"backlog", full}, {"killed", killed}, {"away", away}}
}

// measure runs the trials that are named, or all, and prints a line for each.
func measure(ctx context.Context, all []trial, only, profiles string, say func(format string, args ...any)) error {
	for _, t := range all {
		if only != "" && only != t.name {
			continue
		}
		t.say = func(string, ...any) {}
		t.profile = profiles
		r, err := run(ctx, t.options)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		say("%-8s events=%d in %.1fs; applied p50=%.3fs p95=%.3fs max=%.3fs; %.0f events/s; %.0f events per CPU second (CPU: consumer %.1fs, ClickHouse %.1fs); at most %d MiB; recovery max=%.1fs; caught up %.1fs after an outage; load %s\n",
			t.name, r.Events, r.Seconds, r.Applied.P50, r.Applied.P95, r.Applied.Max, float64(r.Events)/r.Seconds,
			r.PerCPU, r.CPU, r.ServerCPU, r.MaxRSS>>20, r.Recovery.Max, r.CaughtUp, load())
		if !r.clean() {
			say("%s\n", r.line())
			return errWrong
		}
	}
	return nil
}

// load is the machine's, which tells whether others were at work.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	var one string
	_, _ = fmt.Sscan(string(text), &one)
	return one
}

// profiled writes a processor profile and the allocations of this process to a folder.
func profiled(dir string) (stop func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	name := filepath.Join(dir, fmt.Sprintf("consumer-%d", os.Getpid()))
	cpu, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	runtime.MemProfileRate = 64 << 10
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = cpu.Close()
		if allocs, err := os.Create(name + ".allocs"); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(allocs, 0)
			_ = allocs.Close()
		}
	}, nil
}

// processorTime is what a process has used so far, or zero.
func processorTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond // of a hundredth of a second, everywhere
}
