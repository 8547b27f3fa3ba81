package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/ops"
)

func serveCommand() *cobra.Command {
	var s Settings
	var migrateFirst bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the roles of the configuration",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load()
			if err != nil {
				return err
			}
			log, err := ops.NewLogger(cfg.Log)
			if err != nil {
				return err
			}
			if links := config.ServiceLinks(os.Environ()); len(links) > 0 {
				log.Debug("variables of the platform's service links are no settings", zap.Strings("names", links))
			}
			if migrateFirst {
				if _, err := app.Migrate(c.Context(), cfg, false); err != nil {
					return fmt.Errorf("migrate: %w", err)
				}
			}
			return app.Serve(c.Context(), cfg, log, app.FollowFile(s.File,
				func() (config.Config, error) { return s.Load() }))
		},
	}
	s.Flags(c)
	c.Flags().BoolVar(&migrateFirst, "migrate", false, "bring the schemas and topics up to date first")
	return c
}
