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
			ids := [2]core.ID{}
			for i, flag := range []struct{ name, value string }{{"user", user}, {"post", post}} {
				id, err := core.ParseID(flag.value)
				if err != nil {
					return Usagef("--%s: %w", flag.name, err)
				}
				ids[i] = id
			}
			if token == "" {
				cfg, err := load()
				if err != nil {
					return err
				}
				if token, err = auth.SignOperator(cfg.Auth, "feedrank explain", true, time.Minute,
					core.SystemClock{}.Now()); err != nil {
					return err
				}
			}
			return explain(c.Context(), url, token, ids[0], ids[1], c.OutOrStdout())
		},
	}
	load = loader(c)
	c.Flags().StringVar(&user, "user", "", "whose feed")
	c.Flags().StringVar(&post, "post", "", "which post")
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "where feedrank answers")
	c.Flags().StringVar(&token, "token", "", "a token with the admin scope")
	return c
}
