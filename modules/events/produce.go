package events

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// schemaVersion is the version of a record's value. A reader refuses what is newer than itself.
const schemaVersion = 1

// versionHeader repeats the version where it can be read without parsing.
const versionHeader = "feedrank-event-version"

// message makes the record of an event: the key is the user, so that all copies of an event meet in
// one partition; the value is compact JSON with the same names as the API.
func message(topic string, e *event) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{
		Topic: topic, Key: sarama.ByteEncoder(e.user.Append(nil)), Value: sarama.ByteEncoder(appendRecord(make([]byte, 0, 320), e)),
		Headers:   []sarama.RecordHeader{{Key: []byte(versionHeader), Value: []byte("1")}},
		Timestamp: time.UnixMilli(e.received),
	}
}

func appendRecord(b []byte, e *event) []byte {
	b = append(b, `{"v":1,"event_id":"`...)
	b = appendUUID(b, e.id)
	b = append(b, `","action":"`...)
	b = append(b, e.action.String()...)
	b = append(b, `","post_id":"`...)
	b = e.post.Append(b)
	b = append(b, `","author_id":"`...)
	b = e.author.Append(b)
	b = append(b, `","occurred_at":"`...)
	b = appendInstant(b, e.occurred)
	b = append(b, `","received_at":"`...)
	b = appendInstant(b, e.received)
	b = append(b, '"')
	if e.dwell > 0 {
		b = append(b, `,"dwell_ms":`...)
		b = appendUint(b, uint64(e.dwell))
	}
	b = appendText(b, `,"device":`, e.device)
	b = appendText(b, `,"app_version":`, e.appVersion)
	b = appendText(b, `,"feed_session":`, e.session)
	return append(b, '}')
}

// Record is the record of an event as the API writes it, for those who write many at once.
func Record(topic string, e core.Event) *sarama.ProducerMessage {
	own := fromCore(&e)
	return message(topic, &own)
}
