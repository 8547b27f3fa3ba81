package cdc

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// driftCheck is how often the app's tables are compared with the mapping.
const driftCheck = time.Minute

// watchSchema tells when the app's tables no longer are what the mapping says. Nothing stops: what
// can be read is copied, the rest becomes dead letters.
func (c *Consumer) watchSchema(ctx context.Context) error {
	tick := time.NewTicker(driftCheck)
	defer tick.Stop()
	last := ""
	for {
		last = c.checkSchema(ctx, last)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkSchema returns what it found, and logs it if that is news.
func (c *Consumer) checkSchema(ctx context.Context, last string) string {
	ctx, cancel := context.WithTimeout(ctx, driftCheck)
	defer cancel()
	found, err := compareTables(ctx, c.pg, c.mapping, false)
	if err != nil { // PostgreSQL is away; others say so
		c.log.Debug("compare the app's tables with the mapping", zap.Error(err))
		return last
	}
	counts := map[string]int{}
	var all []error
	for s, mismatches := range found {
		counts[s.Table] += len(mismatches)
		all = append(all, mismatches...)
	}
	for table, n := range counts {
		c.metrics.drift.WithLabelValues(table).Set(float64(n))
	}
	err = errors.Join(all...)
	switch {
	case err == nil:
		return ""
	case err.Error() != last:
		c.log.Error("the app's tables are not what cdc.tables says: correct it, then replay the dead letters", zap.Error(err))
	}
	return err.Error()
}
