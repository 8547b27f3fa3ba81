package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/backup"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/migrate"
)

// Backup makes a backup in a new folder; to says where ClickHouse puts its part.
func Backup(ctx context.Context, cfg config.Config, dir, to string, progress backup.Progress,
) (*backup.Manifest, error) {
	var made *backup.Manifest
	err := withStores(ctx, cfg, func(ctx context.Context, s backup.Stores) (err error) {
		made, err = backup.Make(ctx, s, dir, to, progress)
		return err
	})
	return made, err
}

// Restore puts a backup back; from says where ClickHouse has its part, empty: where it was put.
func Restore(ctx context.Context, cfg config.Config, dir, from string, part backup.Part, progress backup.Progress,
) (*backup.Manifest, error) {
	var restored *backup.Manifest
	err := withStores(ctx, cfg, func(ctx context.Context, s backup.Stores) (err error) {
		restored, err = backup.Restore(ctx, s, dir, from, part, progress)
		return err
	})
	return restored, err
}

// withStores holds the lock of migrations meanwhile, so that nobody changes the tables.
func withStores(ctx context.Context, cfg config.Config, do func(context.Context, backup.Stores) error) error {
	cfg.ClickHouse.QueryTimeout = max(cfg.ClickHouse.QueryTimeout, time.Hour) // whole tables are read
	return migrate.Locked(ctx, cfg.Postgres, func(ctx context.Context, conn *pgx.Conn) error {
		states, err := migrate.Postgres(ctx, conn, true)
		if err != nil {
			return err
		}
		s := backup.Stores{Postgres: conn, Feedrank: Version, Clock: core.SystemClock{}}
		if s.PostgresSchema, err = applied("PostgreSQL", states); err != nil {
			return err
		}
		if states, err = migrate.ClickHouse(ctx, cfg.ClickHouse, true); err != nil {
			return err
		}
		if s.ClickHouseSchema, err = applied("ClickHouse", states); err != nil {
			return err
		}
		s.ClickHouse = clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
		defer s.ClickHouse.Close()
		return do(ctx, s)
	})
}

// applied are the names of migrations, all of which must be applied.
func applied(where string, states []migrate.State) (names []string, err error) {
	for _, s := range states {
		if !s.Applied {
			return nil, fmt.Errorf("%s does not have the tables of this version: run `feedrank migrate` first", where)
		}
		names = append(names, s.Version+"_"+s.Name)
	}
	return names, nil
}
