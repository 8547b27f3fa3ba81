package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/seed"
	"github.com/feedrank/feedrank/modules/seed/world"
)

func seedCommand() *cobra.Command {
	var s settings
	options := seed.DefaultOptions()
	var scale, url string
	c := &cobra.Command{
		Use: "seed", Short: "Put a synthetic social world into the app's database and onto the events path",
		Long: "seed writes users, follows, posts, likes and comments into the app's database, and sends events\n" +
			"through the API (--api) or straight into the topic. Without --users it takes a real follow graph of\n" +
			"24,489 users. The same flags and --seed make the same world.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load(app.DevDefaults()...)
			if err != nil {
				return err
			}
			named, err := world.Scale(scale)
			if err != nil {
				return fmt.Errorf("--scale: %w; %w", err, errUsage)
			}
			overlay(c, &named, options.World)
			options.World = named
			if err := options.Validate(); err != nil {
				return fmt.Errorf("%w; %w", err, errUsage)
			}
			_, err = app.Seed(c.Context(), cfg, options, url, c.OutOrStdout())
			return err
		},
	}
	s.flags(c)
	c.Flags().StringVar(&scale, "scale", world.Small, "small, reference or large; the flags below change its parts")
	c.Flags().Uint64Var(&options.World.Seed, "seed", options.World.Seed, "another seed makes another world")
	c.Flags().IntVar(&options.World.Users, "users", 0, "of a generated graph; 0: the real one")
	c.Flags().IntVar(&options.World.Follows, "follows", 0, "of a generated graph; 0: 50 for each user")
	c.Flags().IntVar(&options.World.Posts, "posts", options.World.Posts, "in the whole window")
	c.Flags().IntVar(&options.World.Events, "events", options.World.Events, "in the whole window")
	c.Flags().IntVar(&options.World.Blocks, "blocks", options.World.Blocks, "pairs of users")
	c.Flags().DurationVar(&options.World.Window, "window", options.World.Window, "how far back posts and events go, 1h to 720h")
	c.Flags().BoolVar(&options.CreateSchema, "create-schema", false, "create the example app's tables if they are missing")
	c.Flags().StringVar(&url, "api", "", "send events through the API at this URL, such as http://127.0.0.1:8080; empty: into the topic")
	return c
}

func overlay(c *cobra.Command, onto *world.Options, given world.Options) {
	for flag, set := range map[string]func(){
		"seed": func() { onto.Seed = given.Seed }, "users": func() { onto.Users = given.Users },
		"follows": func() { onto.Follows = given.Follows }, "posts": func() { onto.Posts = given.Posts },
		"events": func() { onto.Events = given.Events }, "blocks": func() { onto.Blocks = given.Blocks },
		"window": func() { onto.Window = given.Window },
	} {
		if c.Flags().Changed(flag) {
			set()
		}
	}
}
