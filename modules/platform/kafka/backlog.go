package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
)

// Backlog is what waits in a consumer's partitions, worked out when it is asked for: figures that were set
// when something had been applied would stand still exactly while nothing is.
type Backlog struct {
	records, seconds, bytes *prometheus.Desc
	clock                   core.Clock

	mu       sync.Mutex
	watched  map[*Queue]watched
	progress map[string]progress // by the labels
}

// progress is when a partition was first seen where it is, and last.
type progress struct {
	next        int64
	since, seen time.Time
}

type watched struct {
	claim  Claim
	labels []string
}

// Claim is what a backlog asks of a sarama.ConsumerGroupClaim.
type Claim interface {
	InitialOffset() int64
	HighWaterMarkOffset() int64
}

var (
	_ prometheus.Collector = (*Backlog)(nil)
	_ Claim                = sarama.ConsumerGroupClaim(nil)
)

// NewBacklog makes metrics whose names begin with prefix.
func NewBacklog(prefix string, clock core.Clock, labels ...string) *Backlog {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(prefix+name, help, labels, nil) }
	return &Backlog{
		records: desc("lag_records",
			"Records in Kafka that are not applied, as of the last fetch (none is made while the queue is full)."),
		seconds: desc("lag_seconds",
			"Age of the oldest record that was fetched and is not applied, by Kafka's timestamp; 0 when none waits."),
		bytes: desc("queue_bytes", "Bytes that were fetched and wait for the batch before them."),
		clock: clock, watched: map[*Queue]watched{}, progress: map[string]progress{},
	}
}

// Watch reports a partition until forget is called.
func (b *Backlog) Watch(q *Queue, claim Claim, labels ...string) (forget func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watched[q] = watched{claim, labels}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watched, q)
	}
}

// Describe is Prometheus'.
func (b *Backlog) Describe(out chan<- *prometheus.Desc) {
	out <- b.records
	out <- b.seconds
	out <- b.bytes
}

const (
	standsStill = time.Minute      // with records that wait: longer than any batch takes
	between     = 15 * time.Second // sessions: one that fails again and again is not watched all the time
)

// Check names the partitions in which records wait and none has been applied for a minute. It knows what it has seen
// itself: it is to be asked all the time.
func (b *Backlog) Check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	for q, w := range b.watched {
		name := strings.Join(w.labels, "/")
		next, _ := q.behind()
		if next < 0 {
			next = w.claim.InitialOffset()
		}
		// A partition that was never committed begins at a name for its oldest offset: what waits there is not known.
		waits := q.Waiting() > 0 || next >= 0 && w.claim.HighWaterMarkOffset() > next
		p, known := b.progress[name]
		if !known || p.next != next || !waits {
			p = progress{next: next, since: now}
		}
		p.seen = now
		b.progress[name] = p
	}
	var stuck []string
	for name, p := range b.progress {
		switch {
		case now.Sub(p.seen) > between:
			delete(b.progress, name)
		case now.Sub(p.since) > standsStill:
			stuck = append(stuck, fmt.Sprintf("%s at offset %d for %s", name, p.next,
				now.Sub(p.since).Truncate(time.Second)))
		}
	}
	if len(stuck) == 0 {
		return nil
	}
	slices.Sort(stuck)
	return fmt.Errorf("%w: %s; the log says why", errStandsStill, strings.Join(stuck, ", "))
}

var errStandsStill = errors.New("records wait and none is applied")

// Collect is Prometheus'.
func (b *Backlog) Collect(out chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for q, w := range b.watched {
		next, since := q.behind()
		if next < 0 {
			next = w.claim.InitialOffset()
		}
		var records, age float64
		if next >= 0 { // else a name for the oldest or the newest
			records = float64(max(0, w.claim.HighWaterMarkOffset()-next))
		}
		if !since.IsZero() {
			age = max(0, b.clock.Now().Sub(since).Seconds())
		}
		out <- prometheus.MustNewConstMetric(b.records, prometheus.GaugeValue, records, w.labels...)
		out <- prometheus.MustNewConstMetric(b.seconds, prometheus.GaugeValue, age, w.labels...)
		out <- prometheus.MustNewConstMetric(b.bytes, prometheus.GaugeValue, float64(q.Waiting()), w.labels...)
	}
}

// PartitionLabel is how metrics name a partition.
func PartitionLabel(id int32) string { return strconv.Itoa(int(id)) }
