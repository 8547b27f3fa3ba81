package events

import (
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// queue holds the records of one partition between the fetcher and the worker. The fetcher never
// waits for us, because it serves other partitions too: instead it is asked to pause. What was
// fetched before it paused still comes, at most one fetch.
type queue struct {
	high, low     int64  // bytes: pause above, resume below
	pause, resume func() // called under mu: in another order a partition would stay paused for good

	clock core.Clock

	mu      sync.Mutex
	records []*sarama.ConsumerMessage
	since   time.Time // when a record came into the empty queue
	head    int
	bytes   int64
	paused  bool
	closed  bool
	ready   chan struct{} // has a token when there may be something new
}

func newQueue(high int64, clock core.Clock, pause, resume func()) *queue {
	return &queue{high: high, low: high / 2, clock: clock, pause: pause, resume: resume, ready: make(chan struct{}, 1)}
}

// weight is what a record holds in memory, about.
func weight(m *sarama.ConsumerMessage) int64 { return int64(len(m.Key)+len(m.Value)) + 200 }

func (q *queue) push(m *sarama.ConsumerMessage) {
	q.mu.Lock()
	if q.head == len(q.records) {
		q.since = q.clock.Now()
	}
	q.records = append(q.records, m)
	q.bytes += weight(m)
	if q.bytes > q.high && !q.paused {
		q.paused = true
		q.pause()
	}
	q.mu.Unlock()
	q.signal()
}

// close says that no more records come.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// waitingSince is when the oldest record came, or earlier.
func (q *queue) waitingSince() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.since
}

// pop takes the next record; nil if there is none now. open is false once none will come.
func (q *queue) pop() (m *sarama.ConsumerMessage, open bool) {
	q.mu.Lock()
	if q.head == len(q.records) {
		q.records, q.head = q.records[:0], 0
		open = !q.closed
		q.mu.Unlock()
		return nil, open
	}
	m = q.records[q.head]
	q.records[q.head] = nil
	q.head++
	q.bytes -= weight(m)
	if q.paused && q.bytes <= q.low {
		q.paused = false
		q.resume()
	}
	if q.head > 1024 && q.head*2 > len(q.records) { // do not let a queue that is never empty grow
		n := copy(q.records, q.records[q.head:])
		clear(q.records[n:])
		q.records, q.head = q.records[:n], 0
	}
	q.mu.Unlock()
	return m, true
}

func (q *queue) waiting() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}
