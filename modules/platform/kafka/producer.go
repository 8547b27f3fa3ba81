package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Producer sends messages and waits until all replicas have acknowledged them. It connects when it
// is first used. It is safe for concurrent use.
type Producer struct {
	cfg      Config
	inFlight chan struct{}

	clock core.Clock

	mu        sync.Mutex
	closed    bool
	refused   error // why the last send failed; nil: it did not
	refusedAt time.Time
	inner     sarama.SyncProducer
	sends     sync.WaitGroup // under way, those too that nobody waits for any more
}

// maxConcurrentSends bounds the calls that wait for acknowledgement at once.
const maxConcurrentSends = 1024

// ErrProducerClosed is returned by Send after Close.
var ErrProducerClosed = errors.New("kafka producer is closed")

// NewProducer makes a producer without dialling.
func NewProducer(cfg Config) *Producer {
	return &Producer{cfg: cfg, inFlight: make(chan struct{}, maxConcurrentSends), clock: core.SystemClock{}}
}

// Send returns nil once every message is acknowledged by all replicas. After an error each message
// may or may not be in the log: send it again under the same identity. Its headers say what it was sent for.
func (p *Producer) Send(ctx context.Context, messages ...*sarama.ProducerMessage) (err error) {
	ctx, span := tracing.Call(ctx, "kafka", "publish")
	defer func() { span.End(err) }()
	carry(ctx, messages)
	select {
	case p.inFlight <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("kafka produce: %w", ctx.Err())
	}
	if !p.begin() {
		<-p.inFlight
		return fmt.Errorf("kafka connect: %w", ErrProducerClosed)
	}
	done := make(chan error, 1)
	go func() { // sarama takes no context; its own timeouts bound this goroutine
		defer func() { <-p.inFlight }()
		defer p.sends.Done()
		err := p.send(messages)
		p.note(err)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("kafka produce: %w", ctx.Err())
	}
}

// refusalStands so long for Probe, where nothing was sent since.
const refusalStands = time.Minute

// note keeps why the log takes nothing, for Probe.
func (p *Producer) note(err error) {
	if errors.Is(err, sarama.ErrMessageSizeTooLarge) || errors.Is(err, ErrProducerClosed) {
		return // that says nothing about Kafka
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused, p.refusedAt = err, p.clock.Now()
}

// Probe asks whether a broker answers, and whether what was sent last was taken: brokers that are there may be too few
// for an acknowledgement.
func (p *Producer) Probe(ctx context.Context) error {
	if err := p.cfg.Ping(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused != nil && p.clock.Now().Sub(p.refusedAt) < refusalStands {
		return fmt.Errorf("the last record was not taken: %w", p.refused)
	}
	return nil
}

// begin counts a send. It is false once the producer is closed.
func (p *Producer) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.sends.Add(1)
	}
	return !p.closed
}

// Close ends the producer after what is in flight: sarama panics where it is closed while it takes messages.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.sends.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner == nil {
		return nil
	}
	inner := p.inner
	p.inner = nil
	return inner.Close()
}

func (p *Producer) send(messages []*sarama.ProducerMessage) error {
	inner, err := p.connected()
	if err != nil {
		return fmt.Errorf("kafka connect: %w", err)
	}
	if err := inner.SendMessages(messages); err != nil {
		var each sarama.ProducerErrors
		if errors.As(err, &each) && len(each) > 0 {
			err = each[0].Err
		}
		return fmt.Errorf("kafka produce %s: %w", messages[0].Topic, err)
	}
	return nil
}

func (p *Producer) connected() (sarama.SyncProducer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrProducerClosed
	}
	if p.inner != nil {
		return p.inner, nil
	}
	cfg, err := p.cfg.Sarama()
	if err != nil {
		return nil, err
	}
	p.inner, err = sarama.NewSyncProducer(p.cfg.Brokers, cfg)
	return p.inner, err
}
