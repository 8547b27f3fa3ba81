package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
)

func migrateCommand() *cobra.Command {
	var s Settings
	var dryRun bool
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the schemas of ClickHouse and PostgreSQL and the topics of Kafka up to date",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load()
			if err != nil {
				return err
			}
			done, err := app.Migrate(c.Context(), cfg, dryRun)
			return errors.Join(app.PrintMigrations(c.OutOrStdout(), done), err)
		},
	}
	s.Flags(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only tell what would be done")
	c.Flags().BoolVar(&dryRun, "status", false, "only tell where things stand (the same as --dry-run)")
	return c
}
