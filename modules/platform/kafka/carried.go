package kafka

import (
	"context"
	"slices"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// carry gives messages the headers by which their consumer knows what they were sent for. A message that has one of
// its own, such as a dead letter, keeps that.
func carry(ctx context.Context, messages []*sarama.ProducerMessage) {
	for name, value := range tracing.Headers(ctx) {
		header := sarama.RecordHeader{Key: []byte(name), Value: []byte(value)}
		for _, m := range messages {
			if Header(m.Headers, name) == "" {
				m.Headers = append(m.Headers, header)
			}
		}
	}
}

// Header is the value of a record's header; empty: it has none.
func Header[H sarama.RecordHeader | *sarama.RecordHeader](headers []H, name string) string {
	for i := range headers {
		var h *sarama.RecordHeader
		switch one := any(&headers[i]).(type) {
		case *sarama.RecordHeader:
			h = one
		case **sarama.RecordHeader:
			h = *one
		}
		if string(h.Key) == name {
			return string(h.Value)
		}
	}
	return ""
}

// AppendRequest appends the request that a record was sent for, if it is known, not there yet, and not one too many
// for a log line.
func AppendRequest[H sarama.RecordHeader | *sarama.RecordHeader](found []string, headers []H) []string {
	id := Header(headers, tracing.RequestHeader)
	if !tracing.ValidRequestID(id) || len(found) == mostRequests {
		return found // who writes to the topic directly may write anything
	}
	if slices.Contains(found, id) {
		return found
	}
	return append(found, id)
}

// mostRequests bounds a log line.
const mostRequests = 20
