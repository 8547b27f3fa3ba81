package codec

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// The reasons why a record is no event and goes to the dead letters. They are labels of metrics.
const (
	deadEmpty        = "empty"         // no value
	deadOversized    = "oversized"     // larger than any event can be
	deadKey          = "bad_key"       // the key is not a user id
	deadMisrouted    = "misrouted"     // not in the partition of its key
	deadTimestamp    = "bad_timestamp" // Kafka's timestamp is missing or absurd
	deadMalformed    = "malformed"     // the value is not JSON, or no object
	deadNewerVersion = "newer_version" // written by a newer version of feedrank
	deadInvalid      = "invalid"       // a field is wrong
)

// maxRecord is larger than any event: with every character of its strings escaped it has 4 KiB.
const maxRecord = 64 << 10

// Kafka timestamps outside these are a producer's mistake, and would make rows that never expire.
const (
	minTimestamp = 1577836800000 // 2020
	maxTimestamp = 4102444800000 // 2100
)

// Decoder decides what a record is. It looks at the record and its Kafka timestamp alone, so
// that a repeat is decided alike, whenever and by whomever.
type Decoder struct {
	partitions int32
	within     acceptance
	scan       scanner
	fields     fields
	known      known
	slab       slab
}

// NewDecoder makes one for the records of a topic.
func NewDecoder(log Log) *Decoder {
	return &Decoder{partitions: log.Partitions, within: log.readAcceptance()}
}

// MaxAge is how old an event may be in its record.
func (r *Decoder) MaxAge() time.Duration { return r.within.age }

// Decode decodes a record into e, or says why it is dead.
func (r *Decoder) Decode(m *sarama.ConsumerMessage, e *Event) (reason, detail string) {
	at := m.Timestamp.UnixMilli()
	switch {
	case len(m.Value) == 0:
		return deadEmpty, "the record has no value"
	case len(m.Value) > maxRecord:
		return deadOversized, fmt.Sprintf("%d bytes", len(m.Value))
	case at < minTimestamp || at > maxTimestamp:
		return deadTimestamp, fmt.Sprintf("timestamp %d", at)
	}
	user, err := r.known.parse(r.within.keys.Users, m.Key)
	if err != nil {
		return deadKey, err.Error()
	}
	if user.Text != "" && user.Text != text(m.Key) {
		return deadKey, "want the key in the form " + user.Text + ": two forms are in two partitions"
	}
	if want := PartitionOf(m.Key, r.partitions); want != m.Partition {
		return deadMisrouted, fmt.Sprintf("the key belongs to partition %d: produce with the murmur2 partitioner", want)
	}
	r.scan.reset(m.Value)
	r.fields = fields{record: true, keys: r.within.keys, known: &r.known, slab: &r.slab}
	f := &r.fields
	if r.scan.peek() != '{' {
		return deadMalformed, "not a JSON object"
	}
	f.read(&r.scan)
	r.scan.end()
	switch {
	case r.scan.err != nil:
		return deadMalformed, r.scan.err.Error()
	case f.version > schemaVersion:
		return deadNewerVersion, fmt.Sprintf("version %d, known up to %d: update, then replay it", f.version,
			schemaVersion)
	case f.version < 0:
		return deadMalformed, "v is not a version"
	}
	if f.check(at, r.within); f.rejected.Code != "" {
		return deadInvalid, f.rejected.Field + ": " + f.rejected.Reason
	}
	if f.has&hasReceived == 0 || f.Received < minTimestamp || f.Received > maxTimestamp {
		f.Received = at
	}
	*e = f.Event
	if user.Text != "" && e.Texts == nil {
		e.Texts = r.slab.next()
	}
	e.SetUser(user)
	return "", ""
}
