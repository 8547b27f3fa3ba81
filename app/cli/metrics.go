package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
)

func metricsCommand() *cobra.Command {
	var s Settings
	var match string
	var asJSON bool
	c := &cobra.Command{
		Use: "metrics", Short: "List the metrics of every module, and what each one says",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load(append(config.DevDefaults(), "roles=all")...)
			if err != nil {
				return err
			}
			all, err := app.Metrics(cfg)
			if err != nil {
				return err
			}
			lines, table := json.NewEncoder(c.OutOrStdout()), tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, m := range all {
				switch {
				case !strings.Contains(m.Name, match):
				case asJSON:
					if err := lines.Encode(m); err != nil {
						return err
					}
				default:
					fmt.Fprintf(table, "%s\t%s\t%s\n", m.Name, strings.Join(m.Labels, ","), m.Help)
				}
			}
			return table.Flush()
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&match, "match", "", "only those with this in their name, such as cdc")
	c.Flags().BoolVar(&asJSON, "json", false, "one metric a line, as JSON")
	return c
}
