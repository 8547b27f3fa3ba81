//go:build real

package watch_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// empty are panels' metrics that have no series in a deployment that is well, and why.
var empty = map[string]string{
	"ALERTS":                                         "no alert fires",
	"feedrank_feed_source_failures_total":            "no source of candidates failed",
	"feedrank_feed_redis_failures_total":             "no call of Redis failed",
	"feedrank_feed_fallback_overlap_sum":             "it is sampled, a page in many",
	"feedrank_admission_refused_total":               "there is not too much to do",
	"feedrank_events_uncertain_total":                "no write was cut off",
	"feedrank_audit_findings":                        "no audit found anything, or none has ended",
	"feedrank_audit_last_complete_timestamp_seconds": "the first audit is hours away",
	"feedrank_cdc_asked_rows_total":                  "no row was so large that PostgreSQL was asked for it",
	"feedrank_cdc_dead_letters_total":                "every change fits its mapping",
	"feedrank_cdc_resync_differences_total":          "no comparison has found a difference",
	"feedrank_cdc_truncates_total":                   "nothing was truncated",
	"feedrank_cdc_key_changes_total":                 "no primary key was changed",
	"feedrank_cdc_repeats_total":                     "the source has not begun again",
	"feedrank_cdc_replays_total":                     "the consumer has not begun again",
	"feedrank_cdc_tombstones_total":                  "nothing was deleted",
	"feedrank_clickhouse_errors_total":               "no query failed",
	"feedrank_rate_limit_refused_total":              "nobody asked too often",
	"feedrank_deadletter_marked_total":               "nobody has dealt with a dead letter",
}

type dashboard struct {
	UID    string
	Title  string
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
}

func TestEachPanelOfEachDashboardShowsData(t *testing.T) {
	w := busy(t)
	p := prometheus(t, w)
	files, err := filepath.Glob("../../../config/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.Len(t, files, 7)
	uids := map[string]bool{}
	waiting := map[string]string{} // panels by their expression
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, json.Unmarshal(text, &d), file)
		require.False(t, uids[d.UID], "two dashboards are %s", d.UID)
		uids[d.UID] = true
		for _, panel := range d.Panels {
			require.NotEmpty(t, panel.Targets, panel.Title)
			for _, target := range panel.Targets {
				waiting[target.Expr] = d.Title + ", " + panel.Title
			}
		}
	}
	var excused []string
	for expr := range waiting {
		for name := range empty {
			if strings.Contains(expr, name) {
				p.ask(expr) // it is an expression all the same
				delete(waiting, expr)
				excused = append(excused, name)
			}
		}
	}
	for name := range empty {
		require.Containsf(t, excused, name, "no panel asks for it")
	}
	require.Greater(t, len(waiting), 70)
	wait.Until(t, func() bool {
		w.stir()
		maps.DeleteFunc(waiting, func(expr, _ string) bool { return p.ask(expr) > 0 })
		return len(waiting) == 0
	}, "%v", stringer(func() string { return strings.Join(slices.Sorted(maps.Values(waiting)), "; ") }))
}

// stringer is text that is made when it is shown.
type stringer func() string

func (s stringer) String() string { return s() }
