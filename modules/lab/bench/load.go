package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxInFlight bounds the requests that are under way; what does not fit is an error of the kind
// "not sent".
const maxInFlight = 4096

// Load is requests over time. With a Rate it is open: request n is due at n/Rate, whatever became of
// those before it, and its time counts from when it was due (no coordinated omission). Without one it
// is closed: so many Connections, each as fast as it is answered; that finds the throughput, and its
// latencies mean little.
type Load struct {
	Name        string
	Rate        float64 // requests a second; 0: closed
	Connections int     // of a closed load
	WarmUp      time.Duration
	For         time.Duration
	Request     func(n int) Request         // called from many goroutines
	Label       func(body []byte) string    // of a success; counted
	Labelled    string                      // the kind of requests whose answers have a label; empty: all
	At          string                      // host:port
	Watch       func(elapsed time.Duration) // each second of the measured time; may be nil
}

// Phase is what a load found.
type Phase struct {
	Name     string                  `json:"name"`
	Rate     float64                 `json:"rate,omitempty"` // asked for, a second
	Seconds  float64                 `json:"seconds"`
	Requests int64                   `json:"requests"`
	PerSec   float64                 `json:"per_second"`             // answered without an error
	Latency  map[string]*Percentiles `json:"latency_ms"`             // by kind, and all
	Late     *Percentiles            `json:"sent_late_ms,omitempty"` // of an open load: the generator's own delay, part of the latencies
	Errors   map[string]int64        `json:"errors,omitempty"`
	Labels   map[string]int64        `json:"labels,omitempty"`
	Usage    map[string]Usage        `json:"usage"` // by process
}

// Percentiles of a time in milliseconds.
type Percentiles struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Failed is how many requests failed.
func (p *Phase) Failed() (n int64) {
	for _, of := range p.Errors {
		n += of
	}
	return n
}

// CPU is what some processes used for each request, in milliseconds; of no names: all but the
// generator.
func (p *Phase) CPU(names ...string) float64 {
	seconds := 0.0
	for name, u := range p.Usage {
		if len(names) == 0 && name != generatorName && name != othersName {
			seconds += u.CPUSeconds
		}
		for _, wanted := range names {
			if name == wanted {
				seconds += u.CPUSeconds
			}
		}
	}
	return 1000 * seconds / float64(max(1, p.Requests))
}

// Share is the share of a label among the answers that have one.
func (p *Phase) Share(label string) float64 {
	all := int64(0)
	for _, n := range p.Labels {
		all += n
	}
	return float64(p.Labels[label]) / float64(max(1, all))
}

// all is the kind that every request belongs to.
const all = "all"

// tally is what a load counts, by one goroutine or under a lock.
type tally struct {
	times  map[string]*hdrhistogram.Histogram // microseconds
	late   *hdrhistogram.Histogram
	errors map[string]int64
	labels map[string]int64
}

func newTally() *tally {
	return &tally{
		times: map[string]*hdrhistogram.Histogram{all: newHistogram()}, late: newHistogram(),
		errors: map[string]int64{}, labels: map[string]int64{},
	}
}

// newHistogram keeps three digits of up to two minutes, in microseconds.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 120_000_000, 3) }

func record(h *hdrhistogram.Histogram, took time.Duration) {
	_ = h.RecordValue(min(max(1, took.Microseconds()), 120_000_000)) // within its bounds
}

func (t *tally) add(kind string, took time.Duration, failure, label string) {
	if failure != "" {
		t.errors[failure]++
		return
	}
	record(t.times[all], took)
	if kind != "" {
		if t.times[kind] == nil {
			t.times[kind] = newHistogram()
		}
		record(t.times[kind], took)
	}
	if label != "" {
		t.labels[label]++
	}
}

func (t *tally) merge(other *tally) {
	for kind, h := range other.times {
		if t.times[kind] == nil {
			t.times[kind] = newHistogram()
		}
		t.times[kind].Merge(h)
	}
	for kind, n := range other.errors {
		t.errors[kind] += n
	}
	for label, n := range other.labels {
		t.labels[label] += n
	}
}

func percentiles(h *hdrhistogram.Histogram) *Percentiles {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return &Percentiles{
		Count: h.TotalCount(), P50: ms(50), P95: ms(95), P99: ms(99), P999: ms(99.9),
		Max: float64(h.Max()) / 1000,
	}
}

// Load puts a load on the stage and adds what it found to the report.
func (on *Stage) Load(ctx context.Context, l Load) (*Phase, error) {
	on.Tell("%s: %s", l.Name, l.describe())
	c := newClient(l.At)
	defer c.http.CloseIdleConnections()
	if l.WarmUp > 0 {
		if _, _, err := l.run(ctx, c, l.WarmUp); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	watch, profile := on.watch(l.Watch), on.profile(ctx, l.Name)
	found, took, err := l.run(ctx, c, l.For)
	usage := watch.end()
	if err := errors.Join(err, profile()); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name, err)
	}
	p := &Phase{
		Name: l.Name, Rate: l.Rate, Seconds: took.Seconds(), Latency: map[string]*Percentiles{},
		Errors: found.errors, Labels: found.labels, Usage: usage,
	}
	for kind, h := range found.times {
		p.Latency[kind] = percentiles(h)
	}
	answered := p.Latency[all].Count
	p.Requests = answered + p.Failed()
	p.PerSec = float64(answered) / took.Seconds()
	if l.Rate > 0 {
		p.Late = percentiles(found.late)
	}
	on.report.Phases = append(on.report.Phases, p)
	return p, nil
}

func (l *Load) describe() string {
	if l.Rate > 0 {
		return fmt.Sprintf("%s requests a second for %s, after %s to warm up", short(l.Rate), l.For, l.WarmUp)
	}
	return fmt.Sprintf("%d connections as fast as they can for %s, after %s to warm up", l.Connections, l.For, l.WarmUp)
}

func (l *Load) run(ctx context.Context, c client, lasting time.Duration) (*tally, time.Duration, error) {
	began := time.Now()
	var found *tally
	if l.Rate > 0 {
		found = l.open(ctx, c, lasting)
	} else {
		found = l.closed(ctx, c, lasting)
	}
	return found, time.Since(began), ctx.Err()
}

// sent counts the requests of all loads, so that no two of them are the same request by chance.
var sent atomic.Int64

func (l *Load) open(ctx context.Context, c client, lasting time.Duration) *tally {
	var mu sync.Mutex
	var under sync.WaitGroup
	found, slots := newTally(), make(chan struct{}, maxInFlight)
	start, timer := time.Now(), time.NewTimer(0)
	defer timer.Stop()
	for n := range int(l.Rate * lasting.Seconds()) {
		due := start.Add(time.Duration(float64(n) / l.Rate * float64(time.Second)))
		if ahead := time.Until(due); ahead > 0 {
			timer.Reset(ahead)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			break
		}
		select {
		case slots <- struct{}{}:
		default:
			mu.Lock()
			found.errors["not sent"]++
			mu.Unlock()
			continue
		}
		under.Go(func() {
			defer func() { <-slots }()
			late := time.Since(due)
			r, failure, label := l.one(c)
			took := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			record(found.late, late)
			found.add(r.Kind, took, failure, label)
		})
	}
	under.Wait()
	return found
}

func (l *Load) closed(ctx context.Context, c client, lasting time.Duration) *tally {
	until := time.Now().Add(lasting)
	tallies := make([]*tally, l.Connections)
	var workers sync.WaitGroup
	for i := range tallies {
		tallies[i] = newTally()
		workers.Go(func() {
			for ctx.Err() == nil && time.Now().Before(until) {
				began := time.Now()
				r, failure, label := l.one(c)
				tallies[i].add(r.Kind, time.Since(began), failure, label)
			}
		})
	}
	workers.Wait()
	for _, t := range tallies[1:] {
		tallies[0].merge(t)
	}
	return tallies[0]
}

func (l *Load) one(c client) (r Request, failure, label string) {
	r = l.Request(int(sent.Add(1)))
	failure = c.do(&r, func(body []byte) {
		if l.Label != nil && (l.Labelled == "" || l.Labelled == r.Kind) {
			label = l.Label(body)
		}
	})
	return r, failure, label
}

// Each sends each request once, over so many connections, and fails with the first that fails. It is
// for what comes before a load.
func (on *Stage) Each(ctx context.Context, at string, connections int, requests []Request) error {
	c := newClient(at)
	defer c.http.CloseIdleConnections()
	var next atomic.Int64
	failures := map[string]int{}
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(requests) {
					return
				}
				if failure := c.do(&requests[n], nil); failure != "" {
					mu.Lock()
					failures[failure]++
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	if len(failures) > 0 {
		return fmt.Errorf("of %d requests failed: %v", len(requests), maps.Collect(maps.All(failures)))
	}
	return ctx.Err()
}

// errEmpty is returned where a bench finds nothing to measure.
var errEmpty = errors.New("the world has nothing to measure with")
