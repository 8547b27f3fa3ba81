package codec

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Log is the topic of events: what all who write and read it must agree on.
type Log struct {
	Topic       string        // without kafka.topic_prefix
	Epoch       uint16        // counts the topics that have held events
	Partitions  int32         // of the topic; never changes within an epoch
	AcceptedAge time.Duration // how old an event may be when it arrives
	Keys        core.KeyForms // what keys in events look like
}

// DefaultLog is the reference scale: 10M events a day.
func DefaultLog() Log {
	return Log{Topic: "events", Epoch: 1, Partitions: 4, AcceptedAge: 7 * 24 * time.Hour}
}

// acceptance is when an event may have occurred, seen from the moment it was received.
type acceptance struct {
	age    time.Duration // how old it may be
	future time.Duration // how far ahead
	keys   core.KeyForms
}

// Acceptance is what the API holds events to.
func (l Log) Acceptance() acceptance {
	return acceptance{age: l.AcceptedAge, future: maxFuture, keys: l.Keys}
}

// readAcceptance is what a record is held to: time goes by between the API's decision and the timestamp that Kafka
// gives, if it gives one itself.
func (l Log) readAcceptance() acceptance {
	return acceptance{age: l.AcceptedAge + ageMargin, future: maxFuture + time.Minute, keys: l.Keys}
}

// ageMargin is how much older than the API allows an event may be in its record.
const ageMargin = time.Hour
