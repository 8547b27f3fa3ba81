package source

import (
	"context"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// maxMessage is the largest value that is sent as it is: brokers refuse messages over 1 MB by default. Where one
// refuses less, it is halved, down to leastMessage.
const (
	maxMessage   = 900 << 10
	leastMessage = 16 << 10
)

// shorter are the largest values of a record that is too large as it is: what is longer is left out.
var shorter = []int{32 << 10, 4 << 10, 256}

// put sends one change of a row, under the key of the row that it is about.
func (s *Source) put(ctx context.Context, out *sink, txn *transaction, e encoder, t *table, op envelope.Op, before,
	after []value, m moment, headers []sarama.RecordHeader,
) error {
	keyed := after
	if op == envelope.Delete {
		keyed = before
	}
	body := e.change(t, op, before, after, m)
	key := appendKey(nil, t, keyed)
	if len(body) > s.largest {
		s.metrics.shortened.WithLabelValues(t.fullName()).Inc()
		for _, longest := range shorter {
			if body = e.change(t, op, shorten(t, before, longest), shorten(t, after, longest),
				m); len(body) <= s.largest {
				break
			}
		}
		headers = append(headers, sarama.RecordHeader{Key: []byte(envelope.HeaderShortened), Value: []byte("1")})
	}
	if len(body) > s.largest {
		s.metrics.setAside.WithLabelValues(t.fullName()).Inc()
		s.log.Error("a row is too large for Kafka, and left to the next comparison", zap.String("table", t.fullName()),
			zap.ByteString("key", key), zap.Int("bytes", len(body)))
		return nil
	}
	return s.deliver(ctx, out, txn, &sarama.ProducerMessage{
		Topic: s.topic(t.fullName()), Key: sarama.ByteEncoder(key), Value: sarama.ByteEncoder(body), Headers: headers,
	})
}

// tombstone follows a delete, so that a compacted topic may forget the key.
func (s *Source) tombstone(ctx context.Context, out *sink, txn *transaction, t *table, row []value) error {
	return s.deliver(ctx, out, txn, &sarama.ProducerMessage{
		Topic: s.topic(t.fullName()),
		Key:   sarama.ByteEncoder(appendKey(nil, t, row)),
	})
}

// deliver waits for room and hands a record to Kafka. While it waits the database is told that we are
// here.
func (s *Source) deliver(ctx context.Context, out *sink, txn *transaction, m *sarama.ProducerMessage) error {
	bytes := 64
	if m.Key != nil {
		bytes += m.Key.Length()
	}
	if m.Value != nil {
		bytes += m.Value.Length()
	}
	for !out.reserve(bytes) {
		if err := s.waitForRoom(ctx, out); err != nil {
			return err
		}
	}
	return out.send(ctx, txn, m, bytes)
}

func (s *Source) waitForRoom(ctx context.Context, out *sink) error {
	timer := time.NewTimer(s.cfg.StatusInterval)
	defer timer.Stop()
	select {
	case <-out.freed:
		return nil
	case <-timer.C:
		if out.keepAlive == nil {
			return nil
		}
		return out.keepAlive()
	case <-out.failed:
		return out.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}
