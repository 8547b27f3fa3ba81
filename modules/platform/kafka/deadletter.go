package kafka

import (
	"time"

	"github.com/IBM/sarama"
)

// DeadLetter is a record that could not be applied: as it was, where it stood, and what is wrong. Its identity is
// the topic, the epoch, the partition and the offset: after a crash the same one may be published again.
type DeadLetter struct {
	Topic     string // of the record, with the prefix
	Epoch     uint16 // of that topic
	Partition int32
	Offset    int64
	Timestamp time.Time // of the record; zero if it had none
	Key       []byte
	Value     []byte
	Headers   []sarama.RecordHeader
	Reason    string    // a stable word, such as "malformed"
	Detail    string    // a sentence
	At        time.Time // when it was given up; zero: when it is published
}

// NewDeadLetter makes one of a record.
func NewDeadLetter(m *sarama.ConsumerMessage, epoch uint16, reason, detail string) DeadLetter {
	headers := make([]sarama.RecordHeader, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = *h
	}
	return DeadLetter{
		Topic: m.Topic, Epoch: epoch, Partition: m.Partition, Offset: m.Offset, Timestamp: m.Timestamp,
		Key: m.Key, Value: m.Value, Headers: headers, Reason: reason, Detail: detail,
	}
}
