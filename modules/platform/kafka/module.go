package kafka

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Module provides the producer and Kafka's check.
func Module() fx.Option {
	return fx.Module("kafka", fx.Provide(
		NewProducer,
		fx.Annotate(func(p *Producer) ops.Check {
			return ops.Check{Name: "kafka", Probe: p.Probe}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, p *Producer) {
		lc.Append(fx.StopHook(p.Close))
	}))
}
