package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// report is what a drill has found, and with what.
type report struct {
	verdict
	Events     int                       `json:"events"` // records of the log
	Distinct   int                       `json:"distinct"`
	Copies     int                       `json:"copies"`
	Letters    int                       `json:"letters"`
	Repeats    int                       `json:"repeats"` // records that the producer wrote more than once
	Kills      int                       `json:"kills"`   // of consumers, ClickHouse and Kafka
	ByStep     map[string]map[string]int `json:"by_step"`
	Reconciled int                       `json:"reconciled"` // how often views were found behind the raw table
	Seed       uint64                    `json:"seed"`
	Partitions int32                     `json:"partitions"`
	Seconds    float64                   `json:"seconds"`
	Applied    percentiles               `json:"produced_to_applied_seconds"`
	Recovery   percentiles               `json:"recovery_seconds"`  // from a consumer's death to the next range of its partition
	CaughtUp   float64                   `json:"caught_up_seconds"` // after a long outage of ClickHouse, until what had come was applied
	CPU        float64                   `json:"consumer_cpu_seconds"`
	ServerCPU  float64                   `json:"clickhouse_cpu_seconds"`
	PerCPU     float64                   `json:"events_per_consumer_cpu_second"`
	MaxRSS     int64                     `json:"consumer_max_rss_bytes"`
	Cores      int                       `json:"cores"`
	Machine    string                    `json:"machine"`
	Versions   map[string]string         `json:"versions"`
	At         time.Time                 `json:"at"`
}

type percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

func percentilesOf(all []time.Duration) (p percentiles) {
	if len(all) == 0 {
		return p
	}
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(float64(len(all)-1)*share)].Seconds() }
	return percentiles{at(0.5), at(0.95), at(1)}
}

// spending adds up what the consumer processes used.
type spending struct {
	mu     sync.Mutex
	cpu    time.Duration
	maxRSS int64
}

func (s *spending) add(state *os.ProcessState) {
	if state == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu += state.UserTime() + state.SystemTime()
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		s.maxRSS = max(s.maxRSS, usage.Maxrss*1024)
	}
}

func (d *drill) report(t *truth, v verdict, ages []time.Duration, took time.Duration) *report {
	r := &report{
		verdict: v, Distinct: t.distinct, Kills: d.diary.total(killConsumer, killClickHouse, awayClickHouse, killInsert,
			killKafka), ByStep: d.diary.ByStep,
		Seed: d.seed, Partitions: d.partitions, Seconds: took.Seconds(), Applied: percentilesOf(ages),
		Recovery: percentilesOf(d.recovered()), CaughtUp: d.diary.caught.Seconds(),
		CPU: d.spent.cpu.Seconds(), ServerCPU: d.serverCPU.Seconds(), MaxRSS: d.spent.maxRSS, Cores: runtime.NumCPU(),
		Machine: machine(), Versions: versions(), At: time.Now().UTC(),
	}
	for _, log := range t.log {
		r.Events += len(log)
		for _, e := range log {
			switch e.fate {
			case isCopy:
				r.Copies++
			case isLetter:
				r.Letters++
			}
		}
	}
	r.Repeats = r.Events + t.missing - len(d.stream.records)
	r.PerCPU = float64(r.Events) / max(r.CPU, 0.001)
	for _, text := range d.logs() {
		r.Reconciled += strings.Count(text, `"buckets_reconciled":`) - strings.Count(text, `"buckets_reconciled":0,`)
	}
	return r
}

// recovered are the times from a consumer's death until its partition went on.
func (d *drill) recovered() (times []time.Duration) {
	for _, m := range d.diary.moments {
		at, err := d.number(context.Background(),
			fmt.Sprintf("SELECT min(toUnixTimestamp64Milli(applied_at)) AS n FROM event_ranges"+
				" WHERE kafka_partition = %d AND toUnixTimestamp64Milli(applied_at) > %d", m.partition,
				m.at.UnixMilli()))
		if err == nil && at > 0 {
			times = append(times, time.UnixMilli(int64(at)).Sub(m.at))
		}
	}
	return times
}

// line is the last one that is printed.
func (r *report) line() string {
	return fmt.Sprintf("chaos: events=%d distinct=%d kills=%d lost=%d double=%d views_wrong=%d dlq_wrong=%d",
		r.Events, r.Distinct, r.Kills, r.Lost, r.Double, r.ViewsWrong, r.DLQWrong)
}

// write keeps the report.
func (r *report) write(dir string) (file string, err error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "chaos-"+r.At.Format("20060102T150405")+".json")
	return file, os.WriteFile(file, append(text, '\n'), 0o600)
}

func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name"); ok {
			name, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimLeft(name, "\t :")
		}
	}
	return fmt.Sprintf("%s, %d cores, %s", model, runtime.NumCPU(), runtime.GOOS)
}

func versions() map[string]string {
	found := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			found["feedrank"] = setting.Value
		}
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/IBM/sarama", "github.com/ClickHouse/ch-go", "github.com/twmb/franz-go/pkg/kfake":
			found[dep.Path] = dep.Version
		}
	}
	return found
}

// logs are what the consumers printed.
func (d *drill) logs() map[string]string {
	texts := map[string]string{}
	files, err := filepath.Glob(filepath.Join(d.dir, "*.log"))
	if err != nil {
		return texts
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			texts[filepath.Base(file)] = string(text)
		}
	}
	return texts
}

// logTails are the last lines of the consumers' logs, for an error.
func (d *drill) logTails() string {
	var b strings.Builder
	for name, text := range d.logs() {
		fmt.Fprintf(&b, "--- end of %s\n%s\n", name, text[max(0, len(text)-3000):])
	}
	return b.String()
}

var errWrong = errors.New("what is left is not what must be")
