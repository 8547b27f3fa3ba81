package consumer

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// DeadLetters keeps what could not be applied, for people to look at. Publish returns nil once all
// are safe.
type DeadLetters interface {
	Publish(ctx context.Context, letters []kafka.DeadLetter) error
}

func deadLetter(m *sarama.ConsumerMessage, epoch uint16, why error, at time.Time) kafka.DeadLetter {
	l := kafka.NewDeadLetter(m, epoch, envelope.ReasonOf(why), why.Error())
	l.At = at
	return l
}
