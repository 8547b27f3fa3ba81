package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Module provides the pool, the reader that feeds use, and their check.
func Module() fx.Option {
	return fx.Module("postgres", fx.Provide(
		func(cfg Config) (*pgxpool.Pool, error) { return NewPool(context.Background(), cfg) },
		newReader,
		fx.Annotate(func(p *pgxpool.Pool, r Reader) ops.Check {
			return ops.Check{Name: "postgres", Probe: func(ctx context.Context) error { return ping(ctx, p, r) }}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, p *pgxpool.Pool) {
		lc.Append(fx.StopHook(p.Close))
	}))
}

// newReader is the pool, unless there is a pooler.
func newReader(lc fx.Lifecycle, cfg Config, pool *pgxpool.Pool) (Reader, error) {
	if cfg.PooledDSN == "" {
		return pool, nil
	}
	pooled, err := NewPooled(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(pooled.Close))
	return pooled, nil
}

func ping(ctx context.Context, p *pgxpool.Pool, r Reader) error {
	if err := p.Ping(ctx); err != nil {
		return Explained(err)
	}
	if pooled, ok := r.(*Pooled); ok {
		return pooled.Ping(ctx)
	}
	return nil
}
