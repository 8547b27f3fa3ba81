package consumer

import (
	"context"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// DeadLetters keeps records that cannot be applied. Publish returns once they are safe: only then do
// we go past them. The same one may come again.
type DeadLetters interface {
	Publish(ctx context.Context, letters []kafka.DeadLetter) error
}

// deadQuarantined is the reason of a record that ClickHouse refuses, once an operator said so.
const deadQuarantined = "quarantined"

// publishDeadLetters publishes dead letters and waits until they are safe.
func (p *partition) publishDeadLetters(ctx context.Context, letters []kafka.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := p.retry(ctx, "publish dead letters",
		func() error { return p.deadLetters.Publish(ctx, letters) }); err != nil {
		return err
	}
	for i := range letters {
		p.metrics.deadLetters.WithLabelValues(letters[i].Reason).Inc()
	}
	return nil
}
