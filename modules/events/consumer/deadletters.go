package consumer

import (
	"context"
	"time"

	"github.com/IBM/sarama"
)

// DeadLetter is a record that is no event: the record as it was, where it stood, and what is wrong.
type DeadLetter struct {
	Topic     string // with the prefix
	Epoch     uint16
	Partition int32
	Offset    int64
	Timestamp time.Time // of the record
	Key       []byte
	Value     []byte
	Headers   []*sarama.RecordHeader
	Reason    string // a word, such as "malformed"
	Detail    string // a sentence
}

// DeadLetters keeps records that cannot be applied. Publish returns once they are safe: only then do
// we go past them. The same one may come again; its identity is its epoch, partition and offset.
type DeadLetters interface {
	Publish(ctx context.Context, letters []DeadLetter) error
}

// deadQuarantined is the reason of a record that ClickHouse refuses, once an operator said so.
const deadQuarantined = "quarantined"

func deadLetter(m *sarama.ConsumerMessage, topic string, epoch uint16, reason, detail string) DeadLetter {
	return DeadLetter{
		Topic: topic, Epoch: epoch, Partition: m.Partition, Offset: m.Offset, Timestamp: m.Timestamp,
		Key: m.Key, Value: m.Value, Headers: m.Headers, Reason: reason, Detail: detail,
	}
}

// publishDeadLetters publishes dead letters and waits until they are safe.
func (p *partition) publishDeadLetters(ctx context.Context, letters []DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := p.retry(ctx, "publish dead letters",
		func() error { return p.deadLetters.Publish(ctx, letters) }); err != nil {
		return err
	}
	for i := range letters {
		p.metrics.deadLetters.WithLabelValues(letters[i].Reason).Inc()
	}
	return nil
}
