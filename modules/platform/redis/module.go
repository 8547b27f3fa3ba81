package redis

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Module provides the client and its check, and watches whether Redis takes writes.
func Module() fx.Option {
	return fx.Module("redis", fx.Provide(
		New,
		fx.Annotate(func(c *Client) ops.Check {
			return ops.Check{Name: "redis", Probe: c.Ping}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, c *Client, log *zap.Logger) {
		workers := worker.NewGroup(nil)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("watch redis", func(ctx context.Context) error { return c.Watch(ctx, told(log)) })
				return nil
			},
			OnStop: func(ctx context.Context) error {
				defer c.Close()
				return workers.Stop(ctx)
			},
		})
	}))
}

func told(log *zap.Logger) func(error) {
	return func(err error) {
		if err != nil {
			log.Warn("redis is away or takes no writes: feeds go on without it", zap.Error(err))
			return
		}
		log.Info("redis answers and takes writes again")
	}
}
