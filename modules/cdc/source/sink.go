package source

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// sink writes records to Kafka in their order and knows up to which transaction all of them are
// acknowledged. It is bounded: reserve before send.
type sink struct {
	producer sarama.AsyncProducer
	metrics  *metrics
	maxCount int
	maxBytes int
	freed    chan struct{} // something was acknowledged
	failed   chan struct{} // closed at the first error
	readers  sync.WaitGroup
	// keepAlive, if set, is called now and then by whoever waits for room.
	keepAlive func() error

	mu        sync.Mutex
	count     int
	bytes     int
	queue     []*transaction // in the order of their commits; the first is not fully acknowledged
	confirmed uint64
	err       error
}

// transaction is a unit that is confirmed as a whole.
type transaction struct {
	end     uint64 // the position after its commit, once that is known
	pending int
	sealed  bool
}

// reservation is what one record holds of the bounds.
type reservation struct {
	transaction *transaction
	bytes       int
}

func newSink(cfg kafka.Config, own Config, m *metrics, largest int) (*sink, error) {
	config, err := cfg.Sarama()
	if err != nil {
		return nil, err
	}
	config.Producer.Flush.Frequency = own.Linger
	config.Producer.MaxMessageBytes = largest + 64<<10
	config.ChannelBufferSize = 1024
	producer, err := sarama.NewAsyncProducer(cfg.Brokers, config)
	if err != nil {
		return nil, fmt.Errorf("kafka connect: %w", err)
	}
	s := &sink{
		producer: producer, metrics: m, maxCount: own.MaxInFlight, maxBytes: own.MaxInFlightBytes,
		freed: make(chan struct{}, 1), failed: make(chan struct{}),
	}
	s.readers.Go(func() {
		for m := range producer.Successes() {
			s.acknowledged(m)
		}
	})
	s.readers.Go(func() {
		for e := range producer.Errors() {
			s.fail(fmt.Errorf("kafka produce %s: %w", e.Msg.Topic, e.Err))
		}
	})
	return s, nil
}

// close gives up what is in flight: it is sent again from the last confirmed position.
func (s *sink) close() {
	s.producer.AsyncClose()
	s.readers.Wait()
}

// begin opens a transaction: records belong to it until it is sealed.
func (s *sink) begin() *transaction {
	t := &transaction{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, t)
	return t
}

// seal says that a transaction has no more records, and where the log stands after it.
func (s *sink) seal(t *transaction, end uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.sealed, t.end = true, end
	s.settle()
}

// idle notes that the log has nothing for us up to a position. It counts only when nothing is open.
func (s *sink) idle(at uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.confirmed = max(s.confirmed, at)
	}
}

// reserve takes room for a record; false means that there is none until freed says so.
func (s *sink) reserve(bytes int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count > 0 && (s.count >= s.maxCount || s.bytes+bytes > s.maxBytes) {
		return false
	}
	s.count++
	s.bytes += bytes
	s.metrics.inFlight.Set(float64(s.bytes))
	return true
}

// send hands a record over, for which there is room.
func (s *sink) send(ctx context.Context, t *transaction, m *sarama.ProducerMessage, bytes int) error {
	s.mu.Lock()
	t.pending++
	s.mu.Unlock()
	m.Metadata = reservation{transaction: t, bytes: bytes}
	select {
	case s.producer.Input() <- m:
		return nil
	case <-s.failed:
		return s.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// position is what the database may forget: everything before it is acknowledged.
func (s *sink) position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.confirmed
}

// drained tells whether everything that was sent is acknowledged.
func (s *sink) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count == 0
}

func (s *sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

var errLostReservation = errors.New("a record came back without its reservation")

func (s *sink) acknowledged(m *sarama.ProducerMessage) {
	r, ok := m.Metadata.(reservation)
	if !ok {
		s.fail(errLostReservation)
		return
	}
	s.mu.Lock()
	s.count--
	s.bytes -= r.bytes
	r.transaction.pending--
	s.settle()
	s.metrics.inFlight.Set(float64(s.bytes))
	s.mu.Unlock()
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// settle moves the confirmed position over the transactions that are done, in their order.
func (s *sink) settle() {
	for len(s.queue) > 0 && s.queue[0].sealed && s.queue[0].pending == 0 {
		s.confirmed = max(s.confirmed, s.queue[0].end)
		s.queue[0] = nil
		s.queue = s.queue[1:]
	}
}

func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.failed)
	}
}
