package consumer

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// DeadLetter is a record that could not be applied. Its identity is the epoch, the topic, the
// partition and the offset: the same one may be published again after a crash.
type DeadLetter struct {
	Topic     string
	Epoch     uint16
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   map[string]string
	Reason    string // a stable word: see envelope.Error
	Detail    string
	At        time.Time
}

// DeadLetters keeps what could not be applied, for people to look at. Publish returns nil once all
// are safe.
type DeadLetters interface {
	Publish(ctx context.Context, letters []DeadLetter) error
}

func deadLetter(m *sarama.ConsumerMessage, epoch uint16, why error, at time.Time) DeadLetter {
	headers := make(map[string]string, len(m.Headers))
	for _, h := range m.Headers {
		headers[string(h.Key)] = string(h.Value)
	}
	return DeadLetter{
		Topic: m.Topic, Epoch: epoch, Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value,
		Headers: headers, Reason: envelope.ReasonOf(why), Detail: why.Error(), At: at,
	}
}
