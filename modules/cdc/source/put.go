package source

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// maxMessage is the largest value that is sent as it is: brokers refuse messages over 1 MB by default.
const (
	maxMessage    = 900 << 10
	shortenedText = 32 << 10
)

// put sends one change of a row, under the key of the row that it is about.
func (s *Source) put(ctx context.Context, out *sink, txn *transaction, e encoder, t *table, op envelope.Op, before, after []value, m moment, headers []sarama.RecordHeader) error {
	keyed := after
	if op == envelope.Delete {
		keyed = before
	}
	body := e.change(t, op, before, after, m)
	if len(body) > maxMessage {
		s.metrics.shortened.WithLabelValues(t.fullName()).Inc()
		body = e.change(t, op, shortenRow(t, before), shortenRow(t, after), m)
		headers = append(headers, sarama.RecordHeader{Key: []byte(envelope.HeaderShortened), Value: []byte("1")})
	}
	return s.deliver(ctx, out, txn, &sarama.ProducerMessage{
		Topic: s.topic(t.fullName()), Key: sarama.ByteEncoder(appendKey(nil, t, keyed)), Value: sarama.ByteEncoder(body), Headers: headers,
	})
}

func shortenRow(t *table, row []value) []value {
	if row == nil {
		return nil
	}
	return shorten(t, row, shortenedText)
}

// tombstone follows a delete, so that a compacted topic may forget the key.
func (s *Source) tombstone(ctx context.Context, out *sink, txn *transaction, t *table, row []value) error {
	return s.deliver(ctx, out, txn, &sarama.ProducerMessage{Topic: s.topic(t.fullName()), Key: sarama.ByteEncoder(appendKey(nil, t, row))})
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
