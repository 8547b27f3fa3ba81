package faults

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// openLoop is a load that does not stop: request n is due at n/rate, and its time counts from then. What
// becomes of it is counted in the window that was open when it was due.
type openLoop struct {
	rate    float64
	replica func() *harness.Client // who is asked next; nil: nobody is ready
	visit   func(n int) visit
	odd     func(wrong string, body []byte) // is told of each wrong answer; may be nil

	window atomic.Pointer[window]
	slots  chan struct{}
}

// visit is a request, and how its answer is judged: where it came from, or what is wrong with it.
type visit struct {
	*harness.Request
	judge func(body []byte) (from, wrong string)
}

// window is what was found between two moments.
type window struct {
	name  string
	began time.Time

	mu       sync.Mutex
	under    sync.WaitGroup
	requests int64
	failures map[string]int64 // not a 2xx: a status, timeout, refused, …
	wrong    map[string]int64 // 2xx, and yet no feed: empty, or with a post that must not be there
	from     map[string]int64 // served_from of the good ones
	times    *hdrhistogram.Histogram
	slow     int64     // over slowAnswer
	inTime   int64     // good, and not later than of use
	lastGood time.Time // for the gap
	gap      time.Duration
}

// slowAnswer is when a request counts as hurt although it was answered.
const slowAnswer = 250 * time.Millisecond

// ofUse is how late an answer may come.
const ofUse = 500 * time.Millisecond

func newWindow(name string) *window {
	now := time.Now()
	return &window{
		name: name, began: now, lastGood: now, failures: map[string]int64{}, wrong: map[string]int64{},
		from:  map[string]int64{},
		times: harness.NewHistogram(),
	}
}

func (w *window) add(at time.Time, took time.Duration, failure, from, wrong string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	harness.Record(w.times, took)
	if took > slowAnswer {
		w.slow++
	}
	switch {
	case failure != "":
		w.failures[failure]++
	case wrong != "":
		w.wrong[wrong+" from "+from]++
	default:
		w.from[from]++
		if took <= ofUse {
			w.inTime++
		}
		w.gap = max(w.gap, at.Sub(w.lastGood))
		w.lastGood = at
	}
}

// served is how many feeds were answered so far, and how many of them without a fallback.
func (w *window) served() (n struct{ all, whole int64 }) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n.all, n.whole = w.requests, w.from["cache"]+w.from["clickhouse"]
	return n
}

// close ends the window once all its requests are answered; they all are, or time out.
func (w *window) close() {
	w.under.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap = max(w.gap, time.Since(w.lastGood))
}

// take adds what another window has found.
func (w *window) take(other *window) {
	w.requests += other.requests
	w.slow += other.slow
	w.inTime += other.inTime
	w.gap = max(w.gap, other.gap)
	w.times.Merge(other.times)
	for into, of := range map[*map[string]int64]map[string]int64{
		&w.failures: other.failures, &w.wrong: other.wrong,
		&w.from: other.from,
	} {
		for key, n := range of {
			(*into)[key] += n
		}
	}
}

func total(of map[string]int64) (n int64) {
	for v := range maps.Values(of) {
		n += v
	}
	return n
}

// open begins a window and gives the one before it.
func (s *openLoop) open(name string) *window { return s.window.Swap(newWindow(name)) }

// run sends until ctx ends, and returns when all is answered.
func (s *openLoop) run(ctx context.Context) {
	s.slots = make(chan struct{}, harness.MaxInFlight)
	var all sync.WaitGroup
	defer all.Wait()
	for n, due := range harness.Due(ctx, s.rate) {
		w := s.window.Load()
		select {
		case s.slots <- struct{}{}:
		default:
			w.add(time.Now(), 0, "not sent", "", "")
			continue
		}
		w.under.Add(1)
		all.Go(func() {
			defer func() { <-s.slots; w.under.Done() }()
			s.one(w, n, due)
		})
	}
}

func (s *openLoop) one(w *window, n int, due time.Time) {
	v, c := s.visit(n), s.replica()
	if c == nil {
		w.add(time.Now(), time.Since(due), "no replica", "", "")
		return
	}
	var from, wrong string
	failure := c.Do(v.Request, func(body []byte) {
		if from, wrong = v.judge(body); wrong != "" && s.odd != nil {
			s.odd(v.Path+": "+wrong, body)
		}
	})
	now := time.Now()
	w.add(now, now.Sub(due), failure, from, wrong)
}
