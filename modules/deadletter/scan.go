package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// scanWaits is how long a broker waits for more than there is.
const scanWaits = 5 * time.Millisecond

// scan calls each for every record of a queue, in order, up to where the queue ended when the scan
// began.
func (s *Service) scan(ctx context.Context, topic string, each func(*sarama.ConsumerMessage) error) (err error) {
	config, err := s.kafka.Sarama()
	if err != nil {
		return err
	}
	// At the end a reader waits for what it has asked for last, which nobody will write.
	config.Consumer.MaxWaitTime = scanWaits
	client, err := sarama.NewClient(s.kafka.Brokers, config)
	if err != nil {
		return fmt.Errorf("kafka connect: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	partitions, err := client.Partitions(topic)
	if err != nil {
		return fmt.Errorf("partitions of %s: %w", topic, err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return fmt.Errorf("kafka consume: %w", err)
	}
	defer func() { err = errors.Join(err, consumer.Close()) }()
	for _, partition := range partitions {
		if err := scanPartition(ctx, client, consumer, topic, partition, each); err != nil {
			return fmt.Errorf("scan %s/%d: %w", topic, partition, err)
		}
	}
	return nil
}

func scanPartition(ctx context.Context, client sarama.Client, consumer sarama.Consumer, topic string, partition int32,
	each func(*sarama.ConsumerMessage) error,
) (err error) {
	oldest, end, err := kafka.Bounds(client, topic, partition)
	if err != nil || oldest == end {
		return err
	}
	reader, err := consumer.ConsumePartition(topic, partition, oldest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case failure := <-reader.Errors():
			if failure != nil {
				return failure
			}
		case m, ok := <-reader.Messages():
			if !ok {
				return sarama.ErrOutOfBrokers
			}
			if err := each(m); err != nil {
				return err
			}
			if m.Offset >= end-1 {
				return nil
			}
		}
	}
}

// State says what was done with a letter.
type State string

// A letter is open until somebody replays or discards it.
const (
	Open      State = "open"
	Replayed  State = "replayed"
	Discarded State = "discarded"
)

// Entry is a letter in a list, without its key, value and headers.
type Entry struct {
	Letter
	State    State
	Bytes    int       // of the value
	MarkedAt time.Time // when it was replayed or discarded
	position int64     // in the queue, of its first copy
}

// index reads a queue and gives every letter once, in the order in which they came.
func (s *Service) index(ctx context.Context, topic string, wanted Filter) ([]*Entry, error) {
	var all []*Entry
	byID := map[ID]*Entry{}
	err := s.scan(ctx, topic, func(m *sarama.ConsumerMessage) error {
		l, mark, err := decode(m)
		if err != nil {
			return nil //nolint:nilerr // a record that another program wrote is no letter
		}
		known := byID[l.ID()]
		switch {
		case mark != "" && known != nil:
			known.State, known.MarkedAt = State(mark), m.Timestamp
		case mark == "" && known == nil:
			if len(all) == maxLetters {
				return ErrTooMany
			}
			e := &Entry{Letter: l, State: Open, Bytes: max(len(l.Value), l.Truncated), position: m.Offset}
			e.Key, e.Value, e.Headers = nil, nil, nil
			byID[l.ID()] = e
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	matching := all[:0]
	for _, e := range all {
		if wanted.matches(e) {
			matching = append(matching, e)
		}
	}
	return matching, nil
}

// maxLetters bounds the memory of a listing: about 500 bytes each.
const maxLetters = 500_000

// ErrTooMany is returned for a queue with more letters than can be listed.
var ErrTooMany = fmt.Errorf("the queue has more than %d letters: something is systematically wrong; fix that, and let retention clear them", maxLetters)

// Filter chooses letters. A zero field chooses any.
type Filter struct {
	State     State
	Reason    string
	Topic     string
	Partition *int32
	Since     time.Time
	Until     time.Time
	IDs       []ID
}

func (f Filter) matches(e *Entry) bool {
	switch {
	case f.State != "" && f.State != e.State,
		f.Reason != "" && f.Reason != e.Reason,
		f.Topic != "" && f.Topic != e.Topic,
		f.Partition != nil && *f.Partition != e.Partition,
		!f.Since.IsZero() && e.At.Before(f.Since),
		!f.Until.IsZero() && !e.At.Before(f.Until):
		return false
	case len(f.IDs) == 0:
		return true
	}
	for _, id := range f.IDs {
		if id == e.ID() {
			return true
		}
	}
	return false
}
