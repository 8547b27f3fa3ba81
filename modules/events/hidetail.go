package events

import (
	"bytes"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// NewHideTail reads what viewers hide, and take back, from the log itself, from a moment on: for replicas that cannot be
// told by way of Redis. hidden is called from several goroutines at once. A record that is no event is the consumer's
// business.
func NewHideTail(cfg Config, k kafka.Config, since time.Time, hidden func(user core.ID, hidden []core.HiddenPost), log *zap.Logger) *kafka.Tail {
	return kafka.NewTail(k, []string{k.Topic(cfg.Topic)}, since, func(m *sarama.ConsumerMessage) {
		if !mayHide(m.Value) {
			return
		}
		var e event
		if reason, _ := newRecordReader(cfg).read(m, &e); reason != "" {
			return
		}
		if posts := hiddenBy([]event{e}); len(posts) > 0 {
			hidden(e.user, posts)
		}
	}, log.Named("events.hides"))
}

// mayHide spares most records their decoding. What has an escape in it is decoded.
func mayHide(record []byte) bool {
	return bytes.Contains(record, []byte("hide")) || bytes.Contains(record, []byte("not_interested")) || bytes.IndexByte(record, '\\') >= 0
}
