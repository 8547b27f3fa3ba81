package deadletter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Letter is a dead letter as a queue keeps it.
type Letter struct {
	kafka.DeadLetter
	Version   string // of the program that gave it up
	Truncated int    // the size of the value, if it was too large to be kept whole
}

// ID names a letter. The same record given up twice has the same one.
type ID struct {
	Topic     string
	Epoch     uint16
	Partition int32
	Offset    int64
}

// ID is the letter's identity.
func (l *Letter) ID() ID { return ID{l.Topic, l.Epoch, l.Partition, l.Offset} }

// String is the form in which people and URLs name a letter, such as "events:1:3:12345".
func (id ID) String() string {
	return fmt.Sprintf("%s:%d:%d:%d", id.Topic, id.Epoch, id.Partition, id.Offset)
}

// ErrInvalidID is returned for text that names no letter.
var ErrInvalidID = errors.New("not the id of a dead letter: want topic:epoch:partition:offset")

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 || parts[0] == "" {
		return ID{}, ErrInvalidID
	}
	epoch, err1 := strconv.ParseUint(parts[1], 10, 16)
	partition, err2 := strconv.ParseInt(parts[2], 10, 32)
	offset, err3 := strconv.ParseInt(parts[3], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return ID{}, ErrInvalidID
	}
	return ID{parts[0], uint16(epoch), int32(partition), offset}, nil
}

// The headers by which a letter tells its story. The record's own headers stand before them.
const (
	headerPrefix    = "feedrank-dead-"
	headerTopic     = headerPrefix + "topic"
	headerEpoch     = headerPrefix + "epoch"
	headerPartition = headerPrefix + "partition"
	headerOffset    = headerPrefix + "offset"
	headerTimestamp = headerPrefix + "timestamp"
	headerReason    = headerPrefix + "reason"
	headerDetail    = headerPrefix + "detail"
	headerAt        = headerPrefix + "at"
	headerVersion   = headerPrefix + "version"
	headerTruncated = headerPrefix + "truncated"
	headerMark      = headerPrefix + "mark" // of a marker: what was done with the letter
)

// maxValue is how much of a value is kept: what a broker takes by default, less the headers. A
// larger one is cut, and can be replayed only from where it stood.
const maxValue = 900 << 10

// maxDetail bounds the sentence, which may quote the record.
const maxDetail = 1000

// encode makes the record of a letter: key and value as they were.
func (l *Letter) encode(queue string) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: queue, Timestamp: l.At}
	if l.Key != nil {
		m.Key = sarama.ByteEncoder(l.Key)
	}
	size := len(l.Key)
	for _, h := range l.Headers {
		if size += len(h.Key) + len(h.Value); size <= maxValue/2 {
			m.Headers = append(m.Headers, h)
		}
	}
	value := l.Value
	if size+len(value) > maxValue {
		value = value[:max(0, maxValue-size)]
		l.Truncated = len(l.Value)
	}
	if value != nil {
		m.Value = sarama.ByteEncoder(value)
	}
	add := func(key, value string) {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(key), Value: []byte(value)})
	}
	addID(add, l.ID())
	if !l.Timestamp.IsZero() {
		add(headerTimestamp, strconv.FormatInt(l.Timestamp.UnixMilli(), 10))
	}
	add(headerReason, l.Reason)
	add(headerDetail, strings.ToValidUTF8(l.Detail[:min(len(l.Detail), maxDetail)], ""))
	add(headerAt, l.At.UTC().Format(time.RFC3339Nano))
	add(headerVersion, l.Version)
	if l.Truncated > 0 {
		add(headerTruncated, strconv.Itoa(l.Truncated))
	}
	return m
}

func addID(add func(key, value string), id ID) {
	add(headerTopic, id.Topic)
	add(headerEpoch, strconv.Itoa(int(id.Epoch)))
	add(headerPartition, strconv.Itoa(int(id.Partition)))
	add(headerOffset, strconv.FormatInt(id.Offset, 10))
}

// errForeign is returned for a record of a queue that is no letter: another program wrote it.
var errForeign = errors.New("not a dead letter")

// decode reads a record of a queue. mark is empty for a letter; otherwise it says what was done with
// the letter of that id.
func decode(m *sarama.ConsumerMessage) (l Letter, mark string, err error) {
	l.Key, l.Value = m.Key, m.Value
	found := 0
	for _, h := range m.Headers {
		key, value := string(h.Key), string(h.Value)
		if !strings.HasPrefix(key, headerPrefix) {
			l.Headers = append(l.Headers, *h)
			continue
		}
		var n int64
		switch key {
		case headerTopic:
			l.Topic = value
			found++
		case headerEpoch:
			n, err = strconv.ParseInt(value, 10, 17)
			l.Epoch = uint16(n)
			found++
		case headerPartition:
			n, err = strconv.ParseInt(value, 10, 32)
			l.Partition = int32(n)
			found++
		case headerOffset:
			l.Offset, err = strconv.ParseInt(value, 10, 64)
			found++
		case headerTimestamp:
			n, err = strconv.ParseInt(value, 10, 64)
			l.Timestamp = time.UnixMilli(n).UTC()
		case headerReason:
			l.Reason = value
		case headerDetail:
			l.Detail = value
		case headerAt:
			l.At, err = time.Parse(time.RFC3339Nano, value)
		case headerVersion:
			l.Version = value
		case headerTruncated:
			l.Truncated, err = strconv.Atoi(value)
		case headerMark:
			mark = value
		}
		if err != nil {
			return Letter{}, "", fmt.Errorf("%w: %s: %w", errForeign, key, err)
		}
	}
	if found != 4 || l.Topic == "" {
		return Letter{}, "", errForeign
	}
	return l, mark, nil
}
