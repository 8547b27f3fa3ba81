package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/importer"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// TestEventsOfThePastAreImportedOnce imports a file whose import is interrupted and begun again, twice, and looks that
// each row counts once.
func TestEventsOfThePastAreImportedOnce(t *testing.T) {
	t.Run("integers", func(t *testing.T) {
		s := stack.New(t)
		p := start(t, settings(t, s, "events-consumer"))
		number := func(n int) string { return fmt.Sprint(n) }
		importsOnce(t, p, s, number, number)
	})
	t.Run("UUIDs", func(t *testing.T) {
		o := withUUIDs(stack.New(t))
		cfg := settings(t, o.s, "events-consumer")
		cfg.Keys.Users, cfg.Keys.Posts = core.UUIDKeys, core.UUIDKeys
		importsOnce(t, start(t, cfg.WithKeyForms()), o.s, o.user, o.post)
	})
}

func importsOnce(t *testing.T, p *program, s *stack.Stack, user, post func(int) string) {
	const rows, batch = 25_000, 10_000
	var text strings.Builder
	text.WriteString("who,post,author,action,occurred_at\n")
	first := time.Now().Add(-5 * 24 * time.Hour)
	for n := range rows {
		at := first.Add(time.Duration(n) * time.Second).UTC().Format(time.DateTime)
		fmt.Fprintf(&text, "%s,%s,%s,view,%s\n", user(n%50+1), post(n%300+1), user(n%7+60), at)
	}
	text.WriteString(user(1) + "," + post(1) + "," + user(60) + ",view,2020-01-01 00:00:00\n")
	name := filepath.Join(t.TempDir(), "views.csv")
	require.NoError(t, os.WriteFile(name, []byte(text.String()), 0o600))
	o := importer.Options{Files: []string{name}, MaxLag: 100_000}
	o.Form.Columns = map[string]string{"who": "user"}

	dry := o
	dry.DryRun = true
	report, err := app.ImportEvents(t.Context(), p.cfg, dry, importer.Deps{})
	require.NoError(t, err)
	require.EqualValues(t, rows, report.Sent)
	require.Equal(t, map[string]int64{"occurred_at: too_old": 1}, report.Refused)

	ctx, kill := context.WithCancel(t.Context())
	_, err = app.ImportEvents(ctx, p.cfg, o, importer.Deps{Progress: func(importer.Report, string) { kill() }})
	require.ErrorIs(t, err, context.Canceled)
	for _, again := range []bool{false, true} { // goes on; then all of it once more
		o.FromStart = again
		report, err = app.ImportEvents(t.Context(), p.cfg, o, importer.Deps{})
		require.NoError(t, err)
		require.EqualValues(t, rows+1, report.Rows)
		require.EqualValues(t, rows, report.Sent)
		if !again {
			require.GreaterOrEqual(t, report.Earlier, int64(batch))
		}
	}
	wait.Until(t, func() bool { // what was on its way when the first was killed was sent once more
		return s.Count(t, "SELECT sum(rows + duplicates) AS n FROM event_ranges") >= 2*rows &&
			s.Count(t, "SELECT sum(rows) AS n FROM event_ranges") >= rows
	}, "all records to be applied")
	require.Equal(t, rows, s.Count(t, "SELECT count() AS n FROM events"))
	require.Equal(t, rows, s.Count(t, "SELECT sum(rows) AS n FROM event_ranges"), "the rest were copies")
	require.NoError(t, app.WithAudit(t.Context(), p.cfg, func(a *audit.Service) error {
		report, err := a.Run(t.Context(), a.Defaults())
		require.Empty(t, report.Findings)
		return err
	}))
}
