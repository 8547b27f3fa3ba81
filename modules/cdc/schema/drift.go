package schema

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// driftCheck is how often the app's tables are compared with the mapping.
const driftCheck = time.Minute

// Drift tells when the app's tables no longer are what the mapping says. Nothing stops: what
// can be read is copied, the rest becomes dead letters.
type Drift struct {
	Postgres   *pgxpool.Pool
	Mapping    *mapping.Mapping
	Mismatches *prometheus.GaugeVec // by table
	Log        *zap.Logger
}

// Watch compares until ctx ends.
func (d Drift) Watch(ctx context.Context) error {
	tick := time.NewTicker(driftCheck)
	defer tick.Stop()
	last := ""
	for {
		last = d.check(ctx, last)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// check returns what it found, and logs it if that is news.
func (d Drift) check(ctx context.Context, last string) string {
	ctx, cancel := context.WithTimeout(ctx, driftCheck)
	defer cancel()
	found, err := compareTables(ctx, d.Postgres, d.Mapping, time.Time{})
	if err != nil { // PostgreSQL is away; others say so
		d.Log.Debug("compare the app's tables with the mapping", zap.Error(err))
		return last
	}
	counts := map[string]int{}
	var all []error
	for s, mismatches := range found {
		counts[s.Table] += len(mismatches)
		all = append(all, mismatches...)
	}
	for table, n := range counts {
		d.Mismatches.WithLabelValues(table).Set(float64(n))
	}
	err = errors.Join(all...)
	switch {
	case err == nil:
		return ""
	case err.Error() != last:
		d.Log.Error("the app's tables are not what cdc.tables says: correct it, then replay the dead letters",
			zap.Error(err))
	}
	return err.Error()
}
