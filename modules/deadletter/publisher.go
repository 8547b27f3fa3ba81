package deadletter

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// producer sends messages and returns once all replicas have acknowledged them.
type producer interface {
	Send(ctx context.Context, messages ...*sarama.ProducerMessage) error
}

// Publisher writes letters to one queue.
type Publisher struct {
	queue    string // full name of the topic
	version  string
	producer producer
	clock    core.Clock
	written  *prometheus.CounterVec
}

// NewPublisher makes a publisher to a queue. topic is its topic's full name, version that of this
// program.
func NewPublisher(topic, version string, producer producer, clock core.Clock, metrics *Metrics) *Publisher {
	return &Publisher{queue: topic, version: version, producer: producer, clock: clock, written: metrics.written}
}

// Publish returns nil once all replicas have the letters. After an error some may be there: publish
// them again, and they are listed once.
func (p *Publisher) Publish(ctx context.Context, letters []kafka.DeadLetter) error {
	messages := make([]*sarama.ProducerMessage, len(letters))
	for i := range letters {
		l := Letter{DeadLetter: letters[i], Version: p.version}
		if l.At.IsZero() {
			l.At = p.clock.Now()
		}
		messages[i] = l.encode(p.queue)
	}
	for len(messages) > 0 { // requests of a bounded size
		n := min(len(messages), publishAtOnce)
		if err := p.producer.Send(ctx, messages[:n]...); err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		messages = messages[n:]
		p.written.WithLabelValues(p.queue).Add(float64(n))
	}
	return nil
}

const publishAtOnce = 500

// Metrics are the figures of all queues.
type Metrics struct{ written, marked *prometheus.CounterVec }

// NewMetrics makes and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		written: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_deadletter_written_total",
			Help: "Dead letters written, by queue. The same record may be written twice.",
		}, []string{"queue"}),
		marked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_deadletter_marked_total",
			Help: "Dead letters that people dealt with, by queue and what they did: replayed, discarded.",
		}, []string{"queue", "mark"}),
	}
	reg.MustRegister(m.written, m.marked)
	return m
}
