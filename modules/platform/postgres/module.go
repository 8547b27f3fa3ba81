package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Module provides the pool and its check.
func Module() fx.Option {
	return fx.Module("postgres", fx.Provide(
		func(cfg Config) (*pgxpool.Pool, error) { return NewPool(context.Background(), cfg) },
		fx.Annotate(func(p *pgxpool.Pool) ops.Check {
			return ops.Check{Name: "postgres", Probe: p.Ping}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, p *pgxpool.Pool) {
		lc.Append(fx.StopHook(p.Close))
	}))
}
