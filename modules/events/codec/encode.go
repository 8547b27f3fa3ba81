package codec

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// schemaVersion is the version of a record's value. A reader refuses what is newer than itself.
const schemaVersion = 1

// versionHeader repeats the version where it can be read without parsing.
const versionHeader = "feedrank-event-version"

// Encode makes the record of an event: the key is the user, so that all copies of an event meet in
// one partition; the value is compact JSON with the same names as the API.
func Encode(topic string, e *Event) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{
		Topic: topic, Key: sarama.ByteEncoder(appendKey(nil, e.UserKey())),
		Value:     sarama.ByteEncoder(appendRecord(make([]byte, 0, 320), e)),
		Headers:   []sarama.RecordHeader{{Key: []byte(versionHeader), Value: []byte("1")}},
		Timestamp: time.UnixMilli(e.Received),
	}
}

func appendKey(b []byte, k core.Key) []byte {
	if k.Text != "" {
		return append(b, k.Text...)
	}
	return k.ID.Append(b)
}

func appendRecord(b []byte, e *Event) []byte {
	b = append(b, `{"v":1,"event_id":"`...)
	b = AppendUUID(b, e.ID)
	b = append(b, `","action":"`...)
	b = append(b, e.Action.String()...)
	b = append(b, `","post_id":`...)
	b = e.PostKey().AppendJSON(b)
	b = append(b, `,"author_id":`...)
	b = e.AuthorKey().AppendJSON(b)
	b = append(b, `,"occurred_at":"`...)
	b = AppendInstant(b, e.Occurred)
	b = append(b, `","received_at":"`...)
	b = AppendInstant(b, e.Received)
	b = append(b, '"')
	if e.Dwell > 0 {
		b = append(b, `,"dwell_ms":`...)
		b = appendUint(b, uint64(e.Dwell))
	}
	b = appendText(b, `,"device":`, e.Device)
	b = appendText(b, `,"app_version":`, e.AppVersion)
	b = appendText(b, `,"feed_session":`, e.Session)
	return append(b, '}')
}

// Record is the record of an event as the API writes it, for those who write many at once.
func Record(topic string, e core.Event) *sarama.ProducerMessage {
	own := FromCore(&e)
	return Encode(topic, &own)
}
