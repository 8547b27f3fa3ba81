//go:build !production

// Package lab has the commands that only a developer's machine runs: dev, demo, embedded, seed and bench. The tag
// "production" leaves it out, and with it the embedded servers, the seeded world and the benches.
package lab

import (
	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/config/grants"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

// Commands are those of a developer's machine.
func Commands() []*cobra.Command {
	return []*cobra.Command{devCommand(), demoCommand(), embeddedCommand(), seedCommand(), benchCommand()}
}

// RunChildIfAsked runs this process as an embedded server, if it was started as one.
func RunChildIfAsked() { embedded.RunChildIfAsked() }

func devCommand() *cobra.Command {
	var s cli.Settings
	var dir string
	c := &cobra.Command{
		Use: "dev", Short: "Run every role on embedded servers, with nothing to install",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load(config.DevDefaults()...)
			if err != nil {
				return err
			}
			return RunDev(c.Context(), cfg, dir, c.OutOrStdout())
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&dir, "dir", "data/dev",
		"where the embedded servers keep their data; empty: a temporary directory")
	return c
}

func demoCommand() *cobra.Command {
	var s cli.Settings
	var once bool
	var trials int
	c := &cobra.Command{
		Use: "demo", Short: "Show everything at work: embedded servers, a seeded world and a guided tour",
		RunE: func(c *cobra.Command, _ []string) error {
			// the tour kills a server: warnings are expected
			cfg, err := s.Load(append(config.DevDefaults(), "log.level=error")...)
			if err != nil {
				return err
			}
			return Demo(c.Context(), cfg, once, trials, c.OutOrStdout())
		},
	}
	s.Flags(c)
	c.Flags().BoolVar(&once, "once", false,
		"end after the tour with one line of figures; exit 0 only if every step held")
	c.Flags().IntVar(&trials, "trials", 20, "how often to measure each latency, 1 to 10000")
	return c
}

func embeddedCommand() *cobra.Command {
	options := embedded.Options{ClickHouseGrants: grants.ClickHouse}
	var asJSON bool
	c := &cobra.Command{
		Use: "embedded", Short: "Run the embedded servers alone, and print their addresses",
		RunE: func(c *cobra.Command, _ []string) error {
			return embedded.RunForeground(c.Context(), options, asJSON, c.OutOrStdout())
		},
	}
	c.Flags().StringSliceVar(&options.Only, "only", nil, "some of: clickhouse, postgres, kafka, redis")
	c.Flags().StringVar(&options.Dir, "dir", "", "where they keep their data; empty: a temporary directory")
	c.Flags().IntVar(&options.ClickHouseNodes, "clickhouse-nodes", 1,
		"how many ClickHouse servers, 1 to 16, in one cluster named feedrank")
	c.Flags().IntVar(&options.ClickHouseReplicas, "clickhouse-replicas", 1,
		"how many of them hold the same shard; what is written to one is not copied to the others")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON once all are ready")
	return c
}
