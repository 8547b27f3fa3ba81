package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

func tokenCommand() *cobra.Command {
	var s settings
	var user, service string
	var admin bool
	var validFor time.Duration
	c := &cobra.Command{
		Use: "token", Short: "Sign a development token with auth.hs256_secret",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			var id core.ID
			if user != "" {
				if id, err = core.ParseID(user); err != nil {
					return fmt.Errorf("--user: %w; %w", err, errUsage)
				}
			}
			if service != "" && (user != "" || admin) {
				return fmt.Errorf("--act-as goes alone; %w", errUsage)
			}
			if user == "" && service == "" && !admin {
				return fmt.Errorf("say --user ID, --admin, both, or --act-as SERVICE; %w", errUsage)
			}
			token, err := auth.Sign(cfg.Auth, id, admin, validFor, time.Now())
			if service != "" {
				token, err = auth.SignService(cfg.Auth, service, validFor, time.Now())
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), token)
			return err
		},
	}
	s.flags(c)
	c.Flags().StringVar(&user, "user", "", "the user that the token speaks for")
	c.Flags().BoolVar(&admin, "admin", false, "give it the admin scope")
	c.Flags().StringVar(&service, "act-as", "", "the service that the token is for: it may call for any user, whom it names in the header Act-As")
	c.Flags().DurationVar(&validFor, "valid-for", time.Hour, "how long it holds")
	return c
}
