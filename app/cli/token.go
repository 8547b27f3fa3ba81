package cli

import (
	"cmp"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

func tokenCommand() *cobra.Command {
	var s Settings
	var userID, service, name string
	var admin, reads bool
	var validFor time.Duration
	c := &cobra.Command{
		Use: "token", Short: "Sign a development token with auth.hs256_secret",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load()
			if err != nil {
				return err
			}
			var id core.Key
			if userID != "" {
				if id, err = cfg.Keys.Users.Parse(userID); err != nil {
					return fmt.Errorf("--user: %w; %w", err, ErrUsage)
				}
			}
			operator := admin || reads
			switch {
			case service != "" && (userID != "" || operator || name != ""):
				return fmt.Errorf("--act-as goes alone; %w", ErrUsage)
			case userID == "" && service == "" && !operator:
				return fmt.Errorf("say --user ID, --admin or --admin-read, or --act-as SERVICE; %w", ErrUsage)
			case admin && reads:
				return fmt.Errorf("--admin reads, too: leave out --admin-read; %w", ErrUsage)
			case name != "" && (userID != "" || !operator):
				return fmt.Errorf("--name is for --admin and --admin-read without --user; %w", ErrUsage)
			case userID != "" && reads:
				return fmt.Errorf("--admin-read goes with --name; %w", ErrUsage)
			}
			now := core.SystemClock{}.Now()
			var token string
			switch {
			case service != "":
				token, err = auth.SignService(cfg.Auth, service, validFor, now)
			case userID != "":
				token, err = auth.SignUser(cfg.Auth, id, admin, validFor, now)
			default:
				token, err = auth.SignOperator(cfg.Auth, cmp.Or(name, operatorName()), reads, validFor, now)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), token)
			return err
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&userID, "user", "", "the user that the token speaks for")
	c.Flags().BoolVar(&admin, "admin", false, "give it the admin scope")
	c.Flags().BoolVar(&reads, "admin-read", false,
		"give it the scope that sees what operators see, and changes nothing")
	c.Flags().StringVar(&name, "name", "",
		"whose token it is, for the record of what operators change (default: who runs this)")
	c.Flags().StringVar(&service, "act-as", "",
		"the service that the token is for: it may call for any user, whom it names in the header Act-As")
	c.Flags().DurationVar(&validFor, "valid-for", time.Hour, "how long it holds")
	return c
}

// operatorName is who runs the command.
func operatorName() string {
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return "operator"
}
