package app

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase/export"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// exports hand out to operators what is held of a person.
func exports() fx.Option {
	return fx.Provide(fx.Annotate(func(db *clickhouse.Client, pool *pgxpool.Pool, r *redis.Client, cfg keys.Config,
		clock core.Clock, log *zap.Logger,
	) []httpserver.Route {
		return export.NewAPI(export.New(db, pool, r, eraseKeys(nil), clock), cfg.Users, log).Routes()
	}, fx.ResultTags(`group:"routes,flatten"`)))
}

// Export writes what is held of a person, as JSON lines.
func Export(ctx context.Context, cfg config.Config, user core.Key, out io.Writer,
	progress func(place string, rows int64),
) (export.Tail, error) {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return export.Tail{}, err
	}
	defer pool.Close()
	db := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	defer db.Close()
	cache := redis.New(cfg.Redis, core.SystemClock{})
	defer cache.Close()
	if err := checkKeys(ctx, db, cfg, []core.Key{user}); err != nil {
		return export.Tail{}, err
	}
	return export.New(db, pool, cache, eraseKeys(nil), core.SystemClock{}).Run(ctx, user, out, progress)
}
