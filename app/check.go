package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/config/grants"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// CheckClickHouse looks at the version and the profile of each server, and at what our user is granted. A server that
// is away is told of: the program starts without it, too.
func CheckClickHouse(ctx context.Context, cfg clickhouse.Config) (warnings []string, err error) {
	warnings, err = clickhouse.Examine(ctx, cfg)
	var unsuitable *clickhouse.Unsuitable
	if err != nil && !errors.As(err, &unsuitable) {
		return []string{"no ClickHouse answers, so its version and settings are not known: " + err.Error()}, nil
	}
	if err != nil {
		return warnings, err
	}
	const user = "feedrank" // of the file; ours may have another name
	lacking, err := clickhouse.Lacking(ctx, cfg, clickhouse.Grants(grants.ClickHouse, user, cfg.Database))
	if err != nil {
		return warnings, err
	}
	if len(lacking) > 0 {
		return warnings, fmt.Errorf("clickhouse: user %s is not granted %s: grant it, as config/grants/clickhouse.sql grants it to %s",
			cfg.User, strings.Join(lacking, ", "), user)
	}
	return warnings, nil
}

// CheckTables compares cdc.tables with the app's database, and names what does not fit.
func CheckTables(ctx context.Context, cfg config.Config) error {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = schema.CheckTables(ctx, pool, cfg.CDC.Tables, core.SystemClock{}.Now())
	var mismatch *schema.Mismatch
	if errors.As(err, &mismatch) {
		return fmt.Errorf("cdc.tables does not fit the app's database:\n%w", err)
	}
	return err
}

// Warnings tells what is valid and perhaps not meant.
func Warnings(cfg config.Config) []string { return schema.SecretColumns(cfg.CDC.Tables) }

// CheckConnected compares cdc.tables with the app's database, and names what does not fit. With the built-in source it
// also tries whether that could read the tables. The warnings are of what works and is perhaps not meant.
func CheckConnected(ctx context.Context, cfg config.Config) (warnings []string, err error) {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	err = schema.CheckTables(ctx, pool, cfg.CDC.Tables, core.SystemClock{}.Now())
	var mismatch *schema.Mismatch
	if err != nil && !errors.As(err, &mismatch) {
		return nil, err
	}
	if cfg.Modules.Toggle("cdc_source").Enabled {
		err = errors.Join(err, schema.CheckSource(ctx, pool, cfg.CDC.Source, cfg.CDC.Tables))
	}
	if errors.As(err, &mismatch) {
		return nil, fmt.Errorf("cdc.tables does not fit the app's database:\n%w", err)
	}
	if err != nil {
		return nil, err
	}
	return schema.CheckCounted(ctx, pool, cfg.CDC.Tables, cfg.Engagement)
}
