package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Service lists, shows, replays and discards letters. The queue itself remembers what was done: a
// marker with the letter's identity stands behind it.
type Service struct {
	kafka    kafka.Config
	queues   map[string]string // by name: the topic
	producer producer
	clock    core.Clock
	metrics  *Metrics
}

// NewService makes a service without dialling.
func NewService(cfg Config, kafkaConfig kafka.Config, producer producer, clock core.Clock, metrics *Metrics) *Service {
	return &Service{
		kafka: kafkaConfig, producer: producer, clock: clock, metrics: metrics,
		queues: map[string]string{
			queueEvents: kafkaConfig.Topic(cfg.EventsTopic),
			queueCDC:    kafkaConfig.Topic(cfg.CDCTopic),
		},
	}
}

// The names of the queues.
const (
	queueEvents = "events"
	queueCDC    = "cdc"
)

// Queues are the names of the queues.
func (s *Service) Queues() []string { return []string{queueEvents, queueCDC} }

// ErrNotFound is returned for a letter or a queue that does not exist.
var ErrNotFound = errors.New("no such dead letter")

func (s *Service) topic(queue string) (string, error) {
	topic, ok := s.queues[queue]
	if !ok {
		return "", fmt.Errorf("%w: the queues are %v", ErrNotFound, s.Queues())
	}
	return topic, nil
}

// List gives the letters that match, in an order, at most limit of them, after the position that an
// earlier call returned. more is the position to go on from; zero when there is nothing more. total is how many match.
func (s *Service) List(ctx context.Context, queue string, wanted Filter, sort Sort, after int64, limit int,
) (page []*Entry, more int64, total int, err error) {
	topic, err := s.topic(queue)
	if err != nil {
		return nil, 0, 0, err
	}
	all, err := s.index(ctx, topic, wanted)
	if err != nil {
		return nil, 0, 0, err
	}
	from := sort.begin(all, after)
	if from < 0 {
		return nil, 0, len(all), nil
	}
	page = all[from:]
	if len(page) > limit {
		more = sort.next(all, from+limit)
		page = page[:limit]
	}
	return page, more, len(all), nil
}

// Show gives one letter whole, and what was done with it.
func (s *Service) Show(ctx context.Context, queue string, id ID) (*Entry, error) {
	topic, err := s.topic(queue)
	if err != nil {
		return nil, err
	}
	var found *Entry
	err = s.scan(ctx, topic, func(m *sarama.ConsumerMessage) error {
		l, mark, foreign := decode(m)
		switch {
		case foreign != nil || l.ID() != id:
		case mark != "" && found != nil:
			found.State, found.MarkedAt = State(mark), m.Timestamp
		case mark == "" && found == nil:
			found = &Entry{Letter: l, State: Open, Bytes: max(len(l.Value), l.Truncated), position: m.Offset}
		}
		return nil //nolint:nilerr // a record that another program wrote is no letter
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	return found, err
}

// Outcome says what a replay or a discard did, or would do.
type Outcome struct {
	Matched int `json:"matched"`
	Done    int `json:"done"`
	// Skipped letters were cut when they were kept: what they were stands only in their own topic.
	Skipped int `json:"skipped"`
}

// Replay writes the records of open letters that match to their topic again, as they were, and marks
// them. An event counts once however often it is replayed: its id is the same. With dryRun nothing is
// written. progress, if not nil, is told how far it is. Changes are refused.
func (s *Service) Replay(ctx context.Context, queue string, wanted Filter, dryRun bool,
	progress func(done, total int),
) (Outcome, error) {
	if queue == queueCDC {
		return Outcome{}, ErrNoReplay
	}
	return s.each(ctx, queue, wanted, dryRun, Replayed, progress, func(l *Letter) []*sarama.ProducerMessage {
		m := &sarama.ProducerMessage{Topic: l.Topic, Timestamp: s.clock.Now()}
		if l.Key != nil {
			m.Key = sarama.ByteEncoder(l.Key)
		}
		if l.Value != nil {
			m.Value = sarama.ByteEncoder(l.Value)
		}
		for _, h := range l.Headers {
			if string(h.Key) != HeaderReplayOf {
				m.Headers = append(m.Headers, h)
			}
		}
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(HeaderReplayOf), Value: []byte(l.ID().String())})
		return []*sarama.ProducerMessage{m}
	})
}

// ErrNoReplay is returned for letters of the cdc queue. Their order is their meaning: at the end of the
// log an old change would win over all that came after it.
var ErrNoReplay = errors.New("changes are not replayed: at the end of the log an old change would win over newer ones." +
	" Correct the cause, run `feedrank resync` for the table, and discard the letters")

// HeaderReplayOf is the header by which a consumer knows a replayed record.
const HeaderReplayOf = "feedrank-replay-of"

// Discard marks open letters that match as dealt with.
func (s *Service) Discard(ctx context.Context, queue string, wanted Filter, dryRun bool,
	progress func(done, total int),
) (Outcome, error) {
	return s.each(ctx, queue, wanted, dryRun, Discarded, progress, nil)
}

// each goes through the open letters that match: first what is to be done, then the marker. Between
// the two it may be killed; then it is done again.
func (s *Service) each(ctx context.Context, queue string, wanted Filter, dryRun bool, mark State,
	progress func(done, total int),
	records func(*Letter) []*sarama.ProducerMessage,
) (Outcome, error) {
	var out Outcome
	topic, err := s.topic(queue)
	if err != nil {
		return out, err
	}
	wanted.State = Open
	open, err := s.index(ctx, topic, wanted)
	if err != nil {
		return out, err
	}
	todo := map[ID]bool{}
	for _, e := range open {
		if mark == Replayed && e.Truncated > 0 {
			out.Skipped++
			continue
		}
		todo[e.ID()] = true
	}
	out.Matched = len(open)
	if dryRun || len(todo) == 0 {
		return out, nil
	}
	total := len(todo)
	work := batch{do: func(letters []Letter) error {
		if err := s.apply(ctx, topic, mark, letters, records); err != nil {
			return err
		}
		s.metrics.marked.WithLabelValues(queue, string(mark)).Add(float64(len(letters)))
		for range letters {
			out.Done++
			if progress != nil {
				progress(out.Done, total)
			}
		}
		return nil
	}}
	err = s.scan(ctx, topic, func(m *sarama.ConsumerMessage) error {
		l, marked, err := decode(m)
		if err != nil || marked != "" || !todo[l.ID()] {
			return nil //nolint:nilerr // not one of ours
		}
		delete(todo, l.ID())
		return work.add(l)
	})
	if err == nil {
		err = work.flush()
	}
	return out, err
}

// apply does what is to be done with some letters, and then marks them.
func (s *Service) apply(ctx context.Context, topic string, mark State, letters []Letter,
	records func(*Letter) []*sarama.ProducerMessage,
) error {
	var again, markers []*sarama.ProducerMessage
	for i := range letters {
		if records != nil {
			again = append(again, records(&letters[i])...)
		}
		markers = append(markers, marker(topic, letters[i].Key, letters[i].ID(), mark, s.clock.Now()))
	}
	first := letters[0].ID()
	if len(again) > 0 {
		if err := s.producer.Send(ctx, again...); err != nil {
			return fmt.Errorf("%s %s and %d more: %w", mark, first, len(letters)-1, err)
		}
	}
	if err := s.producer.Send(ctx, markers...); err != nil {
		return fmt.Errorf("mark %s and %d more as %s: %w", first, len(letters)-1, mark, err)
	}
	return nil
}

// marker is the record that says what was done with a letter. It has the letter's key, so that it
// stands behind it in the same partition.
func marker(topic string, key []byte, id ID, mark State, at time.Time) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Timestamp: at}
	if key != nil {
		m.Key = sarama.ByteEncoder(key)
	}
	add := func(key, value string) {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(key), Value: []byte(value)})
	}
	addID(add, id)
	add(headerMark, string(mark))
	return m
}
