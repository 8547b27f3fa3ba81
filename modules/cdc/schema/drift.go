package schema

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// driftCheck is how often the app's tables are compared with the mapping. Their rows are looked at, too, when it
// begins, as feedrank check-config --connect does; then once a day, and oftener while they are wrong.
const (
	driftCheck = time.Minute
	rowsCheck  = 24 * time.Hour
	rowsAgain  = 10 * time.Minute
)

// Drift tells when the app's tables no longer are what the mapping says. Nothing stops: what
// can be read is copied, the rest becomes dead letters.
type Drift struct {
	Postgres   *pgxpool.Pool
	Mapping    *mapping.Mapping
	Mismatches *prometheus.GaugeVec // by table
	Clock      core.Clock
	Log        *zap.Logger
}

// drifted is what was found so far.
type drifted struct {
	rows   map[*mapping.Source][]error // when rows were looked at
	rowsAt time.Time
	logged string
}

// due tells whether rows are to be looked at.
func (l *drifted) due(now time.Time) bool {
	for _, mismatches := range l.rows {
		if len(mismatches) > 0 {
			return now.Sub(l.rowsAt) >= rowsAgain
		}
	}
	return now.Sub(l.rowsAt) >= rowsCheck
}

// Watch compares until ctx ends.
func (d Drift) Watch(ctx context.Context) error {
	tick := time.NewTicker(driftCheck)
	defer tick.Stop()
	var last drifted
	for {
		d.check(ctx, &last)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// check logs what it finds, if that is news.
func (d Drift) check(ctx context.Context, last *drifted) {
	ctx, cancel := context.WithTimeout(ctx, driftCheck)
	defer cancel()
	now := d.Clock.Now()
	found, err := compareTables(ctx, d.Postgres, d.Mapping, time.Time{})
	if err == nil && last.due(now) {
		if last.rows, err = compareTables(ctx, d.Postgres, d.Mapping, now); err == nil {
			last.rowsAt = now
		}
	}
	if err != nil { // PostgreSQL is away; others say so
		d.Log.Debug("compare the app's tables with the mapping", zap.Error(err))
		return
	}
	counts := map[string]int{}
	var all []error
	for _, k := range mapping.Kinds() {
		s := d.Mapping.Of(k)
		if s == nil {
			continue
		}
		mismatches := found[s]
		if len(mismatches) == 0 {
			mismatches = last.rows[s]
		}
		counts[s.Table] += len(mismatches)
		all = append(all, mismatches...)
	}
	for table, n := range counts {
		d.Mismatches.WithLabelValues(table).Set(float64(n))
	}
	text := ""
	if err = errors.Join(all...); err != nil {
		text = err.Error()
	}
	if text != "" && text != last.logged {
		d.Log.Error("the app's tables are not what cdc.tables says: correct it, then replay the dead letters",
			zap.Error(err))
	}
	last.logged = text
}
