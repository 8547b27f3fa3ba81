package kafka

import (
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// Queue holds the records of one partition between the fetcher and the worker. The fetcher never
// waits for us, because it serves other partitions too, of other topics as well: instead it is asked to
// pause. What was fetched before it paused still comes, at most one fetch.
type Queue struct {
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
	ready   chan struct{}

	next   int64     // the first offset that is not applied; -1: not known
	taken  time.Time // when Kafka got the oldest record that was popped and is not applied; zero: none
	popped int64     // the last offset
	passed int64     // the log was passed to here without a record; 0: nobody needs to know
}

// NewQueue makes a queue that calls pause when it holds more than high bytes, and resume when it is half
// empty again.
func NewQueue(high int64, clock core.Clock, pause, resume func()) *Queue {
	return &Queue{
		high: high, low: high / 2, clock: clock, pause: pause, resume: resume, ready: make(chan struct{}, 1),
		next: -1,
	}
}

// Weight is what a record holds in memory, about.
func Weight(m *sarama.ConsumerMessage) int64 { return int64(len(m.Key)+len(m.Value)) + 200 }

// Push adds a record.
func (q *Queue) Push(m *sarama.ConsumerMessage) {
	q.mu.Lock()
	if q.head == len(q.records) {
		q.since = q.clock.Now()
	}
	q.records = append(q.records, m)
	q.bytes += Weight(m)
	if q.bytes > q.high && !q.paused {
		q.paused = true
		q.pause()
	}
	q.mu.Unlock()
	q.signal()
}

// Close says that no more records come. It takes back a pause: the client keeps that while a partition is taken
// away and given back, and whoever has it next begins with an empty queue, which resumes nothing.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	if q.paused {
		q.paused = false
		q.resume()
	}
	q.mu.Unlock()
	q.signal()
}

// Ready has a token when there may be something new, or when the queue was closed.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

func (q *Queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// WaitingSince is when the oldest record came, or earlier.
func (q *Queue) WaitingSince() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.since
}

// Pop takes the next record; nil if there is none now. open is false once none will come.
func (q *Queue) Pop() (m *sarama.ConsumerMessage, open bool) {
	q.mu.Lock()
	if q.head == len(q.records) {
		q.records, q.head = q.records[:0], 0
		open = !q.closed
		q.mu.Unlock()
		return nil, open
	}
	m = q.records[q.head]
	if q.popped = m.Offset; q.taken.IsZero() {
		q.next, q.taken = m.Offset, m.Timestamp
	}
	q.records[q.head] = nil
	q.head++
	q.bytes -= Weight(m)
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

// Applied says that all records that were popped are.
func (q *Queue) Applied() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.taken.IsZero() {
		q.next, q.taken = q.popped+1, time.Time{}
	}
}

// behind is the first offset that is not applied (-1: not known), and when Kafka got it (zero: it is not here).
func (q *Queue) behind() (next int64, since time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.taken.IsZero():
		return q.next, q.taken
	case q.head < len(q.records):
		return q.records[q.head].Offset, q.records[q.head].Timestamp
	default:
		return q.next, time.Time{}
	}
}

// idle tells whether nothing waits or is being applied, and the first offset that is not applied; -1: not known.
func (q *Queue) idle() (next int64, idle bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next, q.head == len(q.records) && q.taken.IsZero() && !q.closed
}

// pass says that there is no record before an offset that is not here. Whoever keeps a position asks Passed.
func (q *Queue) pass(upto int64) {
	q.mu.Lock()
	if q.head == len(q.records) && q.taken.IsZero() && upto > q.next {
		q.next, q.passed = upto, upto
	}
	q.mu.Unlock()
	q.signal()
}

// Passed is the offset that the log was passed to without a record, once; 0: it was not.
func (q *Queue) Passed() (upto int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	upto, q.passed = q.passed, 0
	return upto
}

// Waiting is how many bytes the queue holds.
func (q *Queue) Waiting() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}
