package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/test/stack"
)

// retained are what a migration changes, or would change, of how long tables keep their rows.
func retained(t *testing.T, cfg config.Config, dryRun bool) (names []string) {
	t.Helper()
	done, err := app.Migrate(t.Context(), cfg, dryRun)
	require.NoError(t, err)
	for _, m := range done {
		if m.Where == "clickhouse" && m.Action == "apply" {
			names = append(names, m.Name)
		}
	}
	return names
}

func TestTablesKeepTheirRowsForAsLongAsIsSet(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s)
	require.Empty(t, retained(t, cfg, true), "migrations say the defaults")
	const day = 24 * time.Hour
	cfg.Retention.Events, cfg.Retention.Sums = 60*day, 120*day
	want := []string{
		"events keeps 60 days, not 30", "post_metrics_1h keeps 120 days, not 90",
		"reactions_by_hour keeps 120 days, not 90",
	}
	require.Equal(t, want, retained(t, cfg, true), "doctor asks so")
	require.Equal(t, want, retained(t, cfg, false))
	require.Empty(t, retained(t, cfg, true), "once")

	left := func() int {
		s.Exec(t, "OPTIMIZE TABLE post_metrics_1h FINAL")
		return s.Count(t, "SELECT count() AS n FROM post_metrics_1h")
	}
	s.Exec(t, "INSERT INTO post_metrics_1h (hour, post_id, views) VALUES (now() - INTERVAL 100 DAY, 1, 1)")
	require.Equal(t, 1, left())
	cfg.Retention.Sums = 61 * day
	retained(t, cfg, false)
	require.Zero(t, left(), "what is older now goes")

	cfg.Retention = migrate.Retention{}
	_, err := app.Migrate(t.Context(), cfg, false)
	require.ErrorContains(t, err, "want at least 720h", "nothing is dropped by mistake")
}

func TestARetentionThatBreaksAWindowIsRefusedByName(t *testing.T) {
	for key, change := range map[string]func(*migrate.Retention){
		"events":   func(r *migrate.Retention) { r.Events -= 24 * time.Hour },
		"ranges":   func(r *migrate.Retention) { r.Ranges = r.Events },
		"sums":     func(r *migrate.Retention) { r.Sums = r.Events },
		"affinity": func(r *migrate.Retention) { r.Affinity = 90 * 24 * time.Hour },
	} {
		r := migrate.DefaultRetention()
		require.Empty(t, r.Check())
		change(&r)
		require.Contains(t, r.Check(), key)
	}
	r := migrate.DefaultRetention()
	r.Sums += time.Hour
	require.Contains(t, r.Check()["sums"], "whole days")
}
