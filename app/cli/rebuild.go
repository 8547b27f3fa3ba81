package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/events/ledger"
)

// rebuildViewsCommand recounts the views from the raw events.
func rebuildViewsCommand(load loader) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "rebuild-views", Short: "Recount post_metrics_1h and user_author_90d from the raw events",
		Args: exactly(0),
		Long: "For when the definition of a view has changed. The owners of the partitions add differences, so readers\n" +
			"see what a partition counted before or after, never none and never both. An events consumer must be running. Counts from\n" +
			"before the time that ClickHouse keeps raw events (30 days) stay as they are.",
	}
	read := load(c)
	c.Flags().DurationVar(&patience, "timeout", 6*time.Hour, "for all of it; it can be run again")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := read()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		defer cancel()
		return app.WithOwners(cfg, func(owners *ledger.Owners) error {
			progress := app.NewProgress(c.ErrOrStderr())
			tell := func(done, total int) { progress.Show("rebuild", int64(done), int64(total)) }
			var wrong uint64
			err := app.Recorded(ctx, cfg, app.Operation{What: "views.rebuild"}, c.ErrOrStderr(), func() (any, error) {
				var err error
				wrong, err = owners.Rebuild(ctx, tell)
				progress.End()
				return map[string]uint64{"buckets_changed": wrong}, err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "rebuilt since %s: %d buckets changed\n",
				owners.Complete().Format(time.DateOnly), wrong)
			return err
		})
	}
	return c
}
