package clickhouse

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Module provides the client and its check.
func Module() fx.Option {
	return fx.Module("clickhouse", fx.Provide(
		New,
		fx.Annotate(func(c *Client) ops.Check {
			return ops.Check{Name: "clickhouse", Probe: c.Ping}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, c *Client) {
		lc.Append(fx.StopHook(c.Close))
	}))
}
