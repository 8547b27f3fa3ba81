package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/audit"
)

// auditCommand recounts and tells what is wrong.
func auditCommand(load loader) *cobra.Command {
	options := audit.Options{Since: 24 * time.Hour}
	var asJSON bool
	c := &cobra.Command{
		Use: "audit", Short: "Recount events: is anything lost, or counted twice?", Args: exactly(0),
		Long: "audit recounts the views of closed hours and days from the raw events, checks that every offset is\n" +
			"covered once and every record accounted for, and that no event stands in the raw table twice. The exit\n" +
			"code is 1 if something is wrong and was not repaired.",
	}
	read := load(c)
	c.Flags().DurationVar(&options.Since, "since", options.Since, "how far back, 1h to 720h")
	c.Flags().BoolVar(&options.Repair, "repair", false,
		"have the owners of the partitions put wrong counts right; an events consumer must be running")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := audit.ValidateSince(options.Since); err != nil {
			return Usagef("--since: want 1h to 720h")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		return app.WithAudit(c.Context(), cfg, func(service *audit.Service) error {
			var report audit.Report
			run := func() (any, error) {
				var err error
				if report, err = service.Run(c.Context(), options); errors.Is(err, audit.ErrRunning) {
					return nil, err
				}
				return map[string]any{"findings": len(report.Findings), "repaired": report.Repaired}, err
			}
			var err error
			if options.Repair {
				err = app.Recorded(c.Context(), cfg, app.Operation{
					What:  "audit.run",
					Asked: map[string]any{"since": options.Since.String(), "repair": true},
				}, c.ErrOrStderr(), run)
			} else {
				_, err = run()
			}
			if errors.Is(err, audit.ErrRunning) {
				return err
			}
			if printed := printReport(c.OutOrStdout(), report, asJSON); printed != nil || err != nil {
				return errors.Join(err, printed)
			}
			if !report.OK() {
				return app.ErrAudit
			}
			return nil
		})
	}
	return c
}

func printReport(out io.Writer, r audit.Report, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		return lines.Encode(r)
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(out, f); err != nil {
			return err
		}
	}
	if len(r.Pending) > 0 {
		if _, err := fmt.Fprintf(out,
			"partitions %v have an unfinished batch; their owner will put their counts right\n",
			r.Pending); err != nil {
			return err
		}
	}
	if len(r.Withheld) > 0 {
		if _, err := fmt.Fprintf(out,
			"the views of partitions %v were not repaired, because their raw rows are wrong\n",
			r.Withheld); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "audit since %s: hours=%d days=%d ranges=%d rows=%d findings=%d repaired=%d in %s\n",
		r.From.Format(time.RFC3339),
		r.Checked.Hours, r.Checked.Days, r.Checked.Ranges, r.Checked.Rows, len(r.Findings), r.Repaired,
		r.FinishedAt.Sub(r.StartedAt).Round(time.Millisecond))
	return err
}
