package clickhouse

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Module provides the client and its check.
func Module() fx.Option {
	return fx.Module("clickhouse", fx.Provide(
		New,
		func(cfg Config, log *zap.Logger) *examiner { return &examiner{cfg: cfg, log: log.Named("clickhouse")} },
		fx.Annotate(func(c *Client, e *examiner) ops.Check {
			return ops.Check{Name: "clickhouse", Probe: func(ctx context.Context) error {
				if err := e.examine(ctx); err != nil {
					return err
				}
				return c.Ping(ctx)
			}}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, c *Client, e *examiner) {
		lc.Append(fx.StartStopHook(e.start, c.Close))
	}))
}
