package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
)

func resyncCommand() *cobra.Command {
	var s Settings
	var table string
	var check bool
	var settle time.Duration
	c := &cobra.Command{
		Use: "resync", Short: "Compare the app's tables with their copies in ClickHouse, and repair what differs",
		Long: "resync reads the app's tables and their copies while changes go on, and sends what sets the copies right\n" +
			"to the running CDC consumer. A row counts only if it still differs once the consumer has applied what was on its\n" +
			"way (cdc.resync.drain bounds how long that is waited for), and after --settle at least.\n" +
			"With --check it only tells, and exits with 1 if anything differs.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load(config.DevDefaults()...) // no key is needed
			if err != nil {
				return err
			}
			var differences int
			compare := func() (any, error) {
				var err error
				differences, err = app.Resync(c.Context(), cfg, table, !check, settle, c.OutOrStdout())
				return map[string]int{"differences": differences}, err
			}
			if check {
				_, err = compare()
			} else {
				err = app.Recorded(c.Context(), cfg, app.Operation{What: "cdc.resync", Target: table}, c.ErrOrStderr(),
					compare)
			}
			if err == nil && check && differences > 0 {
				err = fmt.Errorf("%d rows differ: `feedrank resync` repairs them", differences)
			}
			return err
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&table, "table", "", "only this table, such as public.posts; empty: all that are mapped")
	c.Flags().BoolVar(&check, "check", false, "only compare")
	c.Flags().DurationVar(&settle, "settle", 10*time.Second,
		"how long a row must differ; with Debezium longer than changes take to Kafka")
	return c
}
