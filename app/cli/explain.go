package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// explainCommand tells why a post is where it is in a user's feed.
func explainCommand(loader loader) *cobra.Command {
	var load func() (config.Config, error)
	var user, post, url, token string
	c := &cobra.Command{
		Use: "explain", Args: exactly(0),
		Short: "Say why a post is where it is in a user's feed, or why it is not in it",
		Long: "explain asks a running feedrank through its admin API. It signs a token with auth.hs256_secret,\n" +
			"or takes one with the admin scope from --token.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil && token == "" {
				return err
			}
			if err != nil { // feedrank itself says what its keys look like
				cfg.Keys.Users, cfg.Keys.Posts = core.TextKeys, core.TextKeys
			}
			var keys [2]core.Key
			for i, flag := range []struct {
				name, value string
				form        core.KeyForm
			}{{"user", user, cfg.Keys.Users}, {"post", post, cfg.Keys.Posts}} {
				if keys[i], err = flag.form.Parse(flag.value); err != nil {
					return Usagef("--%s: %w", flag.name, err)
				}
			}
			if token == "" {
				if token, err = auth.SignOperator(cfg.Auth, "feedrank explain", true, time.Minute,
					core.SystemClock{}.Now()); err != nil {
					return err
				}
			}
			return explain(c.Context(), url, token, keys[0], keys[1], c.OutOrStdout())
		},
	}
	load = loader(c)
	c.Flags().StringVar(&user, "user", "", "whose feed")
	c.Flags().StringVar(&post, "post", "", "which post")
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "where feedrank answers")
	c.Flags().StringVar(&token, "token", "", "a token with the admin scope")
	return c
}
