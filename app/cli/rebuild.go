package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/events"
)

// rebuildViewsCommand recounts the views from the raw events.
func rebuildViewsCommand(load loader) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "rebuild-views", Short: "Recount post_metrics_1h and user_author_90d from the raw events", Args: exactly(0),
		Long: "For when the definition of a view has changed. The owners of the partitions add differences, so readers\n" +
			"see old counts or new ones, never none and never both. An events consumer must be running. Counts from\n" +
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
		return app.WithOwners(cfg, func(owners *events.Requests) error {
			tell, end := counting(c.ErrOrStderr(), "rebuild")
			wrong, err := rebuild(ctx, owners, time.Now().UTC(), tell)
			if err := errors.Join(err, end()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "rebuilt since %s: %d buckets changed\n", owners.Complete().Format(time.DateOnly), wrong)
			return err
		})
	}
	return c
}

// rebuildAtOnce is how many days of a partition its owner is asked for at once. It looks for requests
// every two seconds, so that one by one would take a minute of waiting; and it applies nothing while it
// recounts, so they must not be many.
const rebuildAtOnce = 4

// rebuild has the owners recount day by day what the raw table can still recount, all partitions at
// once. Done twice or broken off it does no harm.
func rebuild(ctx context.Context, owners *events.Requests, now time.Time, tell func(done, total int)) (uint64, error) {
	const day = 24 * time.Hour
	first := owners.Complete()
	days := int(now.Truncate(day).Sub(first)/day) + 2 // events may be a little ahead of our clock
	total := days * owners.Partitions()
	var mu sync.Mutex
	var done int
	var wrong uint64
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(rebuildAtOnce * owners.Partitions())
	for i := range total {
		asking.Go(func() error {
			at := first.AddDate(0, 0, i/owners.Partitions())
			n, err := owners.Reconcile(ctx, i%owners.Partitions(), at, at)
			if err != nil {
				return fmt.Errorf("rebuild %s: %w", at.Format(time.DateOnly), err)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			wrong += n
			tell(done, total)
			return nil
		})
	}
	err := asking.Wait()
	return wrong, err
}
