package ingest

import (
	"bytes"
	"errors"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// NewHideTail reads what viewers hide, and take back, from the log itself, from a moment on: for replicas that cannot
// be told by way of Redis. hidden is called from several goroutines at once. A record that is no event is the
// consumer's business, and so is one with a key that hear refuses (nil: all are integers).
func NewHideTail(log codec.Log, k kafka.Config, since time.Time, hidden func(user core.ID, hidden []core.HiddenPost),
	hear func(core.Key) error, logger *zap.Logger,
) *kafka.Tail {
	return kafka.NewTail(k, []string{k.Topic(log.Topic)}, since, func(m *sarama.ConsumerMessage) {
		if !mayHide(m.Value) {
			return
		}
		var e codec.Event
		if reason, _ := codec.NewDecoder(log).Decode(m, &e); reason != "" {
			return
		}
		if e.Texts != nil && hear != nil && errors.Join(hear(e.UserKey()), hear(e.PostKey())) != nil {
			return // it has the number of another
		}
		if posts := hiddenBy([]codec.Event{e}); len(posts) > 0 {
			hidden(e.User, posts)
		}
	}, logger.Named("events.hides"))
}

// mayHide spares most records their decoding. What has an escape in it is decoded.
func mayHide(record []byte) bool {
	return bytes.Contains(record, []byte("hide")) || bytes.Contains(record, []byte("not_interested")) ||
		bytes.IndexByte(record, '\\') >= 0
}

// hiddenBy are the posts that a batch hides, and those of which it takes that back.
func hiddenBy(events []codec.Event) (hidden []core.HiddenPost) {
	for i := range events {
		if e := &events[i]; counting.KindOf(e.Action, false) == counting.Hide {
			hidden = append(hidden, core.HiddenPost{
				Post: e.Post, At: time.UnixMilli(e.At()),
				Back: e.Action == core.ActionUnhide,
			})
		}
	}
	return hidden
}
