package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
)

func checkConfigCommand() *cobra.Command {
	var s Settings
	var connect bool
	c := &cobra.Command{
		Use: "check-config [FILE]", Short: "Validate a configuration and name every mistake",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.File = args[0]
			}
			cfg, err := s.Load()
			if err != nil {
				return err
			}
			if err := config.CheckPublished(cfg); err != nil {
				return err
			}
			if err := app.Validate(cfg); err != nil {
				return err
			}
			said, warnings := "the configuration is valid", app.Warnings(cfg)
			if connect {
				more, err := app.CheckConnected(c.Context(), cfg)
				if err != nil {
					return err
				}
				warnings = append(warnings, more...)
				if more, err = app.CheckClickHouse(c.Context(), cfg.ClickHouse); err != nil {
					return err
				}
				warnings = append(warnings, more...)
				said += ", cdc.tables fits the app's database, and ClickHouse has what we need"
			}
			for _, w := range warnings {
				said += "\nwarning: " + w
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return err
		},
	}
	s.Flags(c)
	c.Flags().BoolVar(&connect, "connect", false,
		"also compare cdc.tables with the app's database, try whether the source could read it, and look at the version, the settings and the grants of ClickHouse")
	return c
}

func modulesCommand() *cobra.Command {
	var s Settings
	c := &cobra.Command{
		Use: "modules", Short: "List the modules, and say which of them run with these roles and why",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load(config.DevDefaults()...) // a list of modules needs no key
			if err != nil {
				return err
			}
			return printModules(c.OutOrStdout(), app.Choose(cfg))
		},
	}
	s.Flags(c)
	return c
}

func printModules(out io.Writer, choices []app.Choice) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODULE\tON\tWHY\tROLES\tWHAT IT DOES")
	for _, m := range choices {
		on := "no"
		if m.On {
			on = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.Name, on, m.Why, m.RoleNames(), m.Says)
	}
	return table.Flush()
}
