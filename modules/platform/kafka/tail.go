package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Tail reads topics from a moment on, every partition of them, without a group: each process that
// tails sees every record.
type Tail struct {
	cfg       Config
	topics    []string
	since     time.Time
	handle    func(*sarama.ConsumerMessage)
	log       *zap.Logger
	positions []*position
}

// position is where the reading of one partition goes on.
type position struct {
	topic     string
	partition int32
	next      int64
}

// NewTail makes a reader of all records that were written at or after since. handle is called for
// the records of one partition in order; partitions are read concurrently.
func NewTail(cfg Config, topics []string, since time.Time, handle func(*sarama.ConsumerMessage),
	log *zap.Logger,
) *Tail {
	return &Tail{cfg: cfg, topics: topics, since: since, handle: handle, log: log}
}

// Run reads until ctx ends, and connects again after a fault.
func (t *Tail) Run(ctx context.Context) error {
	pause := reconnect()
	for ctx.Err() == nil {
		if err := t.session(ctx, &pause); err != nil && ctx.Err() == nil {
			t.log.Warn("tail of topics ended", zap.Strings("topics", t.topics), zap.Error(err))
			_ = pause.Wait(ctx) // the loop looks at ctx next
		}
	}
	return ctx.Err()
}

func (t *Tail) session(ctx context.Context, pause *worker.Backoff) (err error) {
	config, err := t.cfg.Sarama()
	if err != nil {
		return err
	}
	client, err := sarama.NewClient(t.cfg.Brokers, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if t.positions == nil {
		if t.positions, err = positionsAt(client, t.topics, t.since); err != nil {
			return err
		}
	} else if err = t.renew(client, func(*position) {}); err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, consumer.Close()) }()

	readers, ctx := errgroup.WithContext(ctx)
	read := func(at *position) { readers.Go(func() error { return t.read(ctx, consumer, at) }) }
	for _, at := range t.positions {
		read(at)
	}
	readers.Go(func() error { return t.grow(ctx, client, read) })
	pause.Reset()
	return readers.Wait()
}

// topology is how often partitions that were added are looked for: what a viewer did must be heard of at once, by
// whichever partition it comes.
const topology = time.Second

// grow reads partitions that are added.
func (t *Tail) grow(ctx context.Context, client sarama.Client, read func(*position)) error {
	for {
		if err := worker.Pause(ctx, topology); err != nil {
			return err
		}
		if err := t.renew(client, read); err != nil {
			return err
		}
	}
}

// renew learns which partitions the topics have now. What is in one that was added is all new; one that is gone,
// with a topic that was made anew with fewer, is read no longer.
func (t *Tail) renew(client sarama.Client, added func(*position)) error {
	if err := client.RefreshMetadata(t.topics...); err != nil {
		return fmt.Errorf("partitions of %v: %w", t.topics, err)
	}
	for _, topic := range t.topics {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return fmt.Errorf("partitions of %s: %w", topic, err)
		}
		known := map[int32]bool{}
		t.positions = slices.DeleteFunc(t.positions, func(at *position) bool {
			known[at.partition] = known[at.partition] || at.topic == topic
			return at.topic == topic && !slices.Contains(partitions, at.partition)
		})
		for _, partition := range partitions {
			if known[partition] {
				continue
			}
			t.log.Info("a partition was added", zap.String("topic", topic), zap.Int32("partition", partition))
			at := &position{topic: topic, partition: partition, next: sarama.OffsetOldest}
			t.positions = append(t.positions, at)
			added(at)
		}
	}
	return nil
}

func (t *Tail) read(ctx context.Context, consumer sarama.Consumer, at *position) (err error) {
	reader, err := consumer.ConsumePartition(at.topic, at.partition, at.next)
	if errors.Is(err, sarama.ErrOffsetOutOfRange) { // retention passed us, or the topic was made anew
		reader, err = consumer.ConsumePartition(at.topic, at.partition, sarama.OffsetOldest)
	}
	if err != nil {
		return fmt.Errorf("tail %s/%d@%d: %w", at.topic, at.partition, at.next, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-reader.Errors():
			t.log.Warn("tail", zap.Error(err))
		case message, ok := <-reader.Messages():
			if !ok {
				return fmt.Errorf("tail %s/%d@%d: %w", at.topic, at.partition, at.next, sarama.ErrOffsetOutOfRange)
			}
			t.handle(message)
			at.next = message.Offset + 1
		}
	}
}

// positionsAt finds, for every partition, the first record written at or after since.
func positionsAt(client sarama.Client, topics []string, since time.Time) ([]*position, error) {
	var found []*position
	for _, topic := range topics {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return nil, fmt.Errorf("partitions of %s: %w", topic, err)
		}
		for _, partition := range partitions {
			// The end is asked for first: what is written between the two questions is not passed over.
			end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
			if err != nil {
				return nil, fmt.Errorf("end of %s/%d: %w", topic, partition, err)
			}
			next, err := client.GetOffset(topic, partition, since.UnixMilli())
			if err != nil {
				return nil, fmt.Errorf("offset of %s/%d at %s: %w", topic, partition, since, err)
			}
			if next < 0 { // nothing so young
				next = end
			}
			found = append(found, &position{topic: topic, partition: partition, next: next})
		}
	}
	return found, nil
}
