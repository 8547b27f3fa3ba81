package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// MaxInFlight bounds the requests that are under way; what does not fit is an error of the kind
// "not sent".
const MaxInFlight = 4096

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

// Load puts a load on the stage and adds what it found to the report.
func (on *Environment) Load(ctx context.Context, l Load) (*Phase, error) {
	on.Tell("%s: %s", l.Name, l.describe())
	c := NewClient(l.At)
	defer c.Close()
	if l.WarmUp > 0 {
		if _, _, err := l.run(ctx, c, l.WarmUp); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	watch, profile := on.Watch(l.Watch), on.profile(ctx, l.Name)
	found, took, err := l.run(ctx, c, l.For)
	usage := watch.End()
	if err := errors.Join(err, profile()); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name, err)
	}
	p := &Phase{
		Name: l.Name, Rate: l.Rate, Seconds: took.Seconds(), Latency: map[string]*Percentiles{},
		Errors: found.errors, Labels: found.labels, Usage: usage,
	}
	for kind, h := range found.times {
		p.Latency[kind] = PercentilesOf(h)
	}
	answered := p.Latency[All].Count
	p.Requests = answered + p.Failed()
	p.PerSec = float64(answered) / took.Seconds()
	if l.Rate > 0 {
		p.Late = PercentilesOf(found.late)
	}
	on.Add(p)
	return p, nil
}

func (l *Load) describe() string {
	if l.Rate > 0 {
		return fmt.Sprintf("%s requests a second for %s, after %s to warm up", Short(l.Rate), l.For, l.WarmUp)
	}
	return fmt.Sprintf("%d connections as fast as they can for %s, after %s to warm up", l.Connections, l.For, l.WarmUp)
}

func (l *Load) run(ctx context.Context, c Client, lasting time.Duration) (*tally, time.Duration, error) {
	began := time.Now()
	var found *tally
	if l.Rate > 0 {
		found = l.open(ctx, c, lasting)
	} else {
		found = l.closed(ctx, c, lasting)
	}
	return found, time.Since(began), ctx.Err()
}

var sent atomic.Int64

// NextNumber counts the requests of all loads, so that no two of them are the same request by chance.
func NextNumber() int { return int(sent.Add(1)) }

func (l *Load) open(ctx context.Context, c Client, lasting time.Duration) *tally {
	var mu sync.Mutex
	var under sync.WaitGroup
	found, slots := newTally(), make(chan struct{}, MaxInFlight)
	most := int(l.Rate * lasting.Seconds())
	for n, due := range Due(ctx, l.Rate) {
		if n == most {
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
			Record(found.late, late)
			found.add(r.Kind, took, failure, label)
		})
	}
	under.Wait()
	return found
}

func (l *Load) closed(ctx context.Context, c Client, lasting time.Duration) *tally {
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

func (l *Load) one(c Client) (r Request, failure, label string) {
	r = l.Request(NextNumber())
	failure = c.Do(&r, func(body []byte) {
		if l.Label != nil && (l.Labelled == "" || l.Labelled == r.Kind) {
			label = l.Label(body)
		}
	})
	return r, failure, label
}

// Each sends each request once, over so many connections, and fails with the first that fails. It is
// for what comes before a load.
func (on *Environment) Each(ctx context.Context, at string, connections int, requests []Request) error {
	c := NewClient(at)
	defer c.Close()
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
				if failure := c.Do(&requests[n], nil); failure != "" {
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

// ErrEmpty is returned where a bench finds nothing to measure.
var ErrEmpty = errors.New("the world has nothing to measure with")
