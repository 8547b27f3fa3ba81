package kafka

import (
	"strconv"
	"sync"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
)

// Backlog is what waits in a consumer's partitions, worked out when it is asked for: figures that were set
// when something had been applied would stand still exactly while nothing is.
type Backlog struct {
	records, seconds, bytes *prometheus.Desc
	clock                   core.Clock

	mu      sync.Mutex
	watched map[*Queue]watched
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
		records: desc("lag_records", "Records in Kafka that are not applied, as of the last fetch (none is made while the queue is full)."),
		seconds: desc("lag_seconds", "Age of the oldest record that was fetched and is not applied, by Kafka's timestamp; 0 when none waits."),
		bytes:   desc("queue_bytes", "Bytes that were fetched and wait for the batch before them."),
		clock:   clock, watched: map[*Queue]watched{},
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
