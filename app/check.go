package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// CheckTables compares cdc.tables with the app's database, and names what does not fit.
func CheckTables(ctx context.Context, cfg config.Config) error {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = cdc.CheckTables(ctx, pool, cfg.CDC.Tables)
	var mismatch *cdc.Mismatch
	if errors.As(err, &mismatch) {
		return fmt.Errorf("cdc.tables does not fit the app's database:\n%w", err)
	}
	return err
}
