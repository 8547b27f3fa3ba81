//go:build !production

package lab

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

func seedCommand() *cobra.Command {
	var s cli.Settings
	options := seed.DefaultOptions()
	var scale, url, keys string
	var topic bool
	c := &cobra.Command{
		Use: "seed", Short: "Make a synthetic social world: straight into both databases, or through the events path",
		Long: "seed makes a world and writes it straight into PostgreSQL and ClickHouse, both empty and migrated, as\n" +
			"if CDC and the events consumer had brought it. With --topic or --api it writes the app's rows only, for\n" +
			"CDC to copy, and sends the events into the topic or through the API. Without --users it takes a real\n" +
			"follow graph of 24,489 users. The same flags and --seed make the same world.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.Load(config.DevDefaults()...)
			if err != nil {
				return err
			}
			named, err := world.Scale(scale)
			if err != nil {
				return fmt.Errorf("--scale: %w; %w", err, cli.ErrUsage)
			}
			overlay(c, &named, options.World)
			options.World = named
			if options.Keys = seed.Keys(keys); keys == "" {
				options.Keys = seed.Keys(cfg.Keys.Users)
			}
			if form := core.KeyForm(options.Keys); form != cfg.Keys.Users || form != cfg.Keys.Posts {
				return fmt.Errorf("--keys: want keys.users and keys.posts of the configuration to be %s, too; %w", form, cli.ErrUsage)
			}
			if err := options.Validate(); err != nil {
				return fmt.Errorf("%w; %w", err, cli.ErrUsage)
			}
			if topic || url != "" {
				_, err = Seed(c.Context(), cfg, options, url, c.OutOrStdout())
			} else {
				_, err = SeedBulk(c.Context(), cfg, options, c.OutOrStdout())
			}
			return err
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&scale, "scale", world.Small,
		"small, tenth (of the reference), reference or large; the flags below change its parts")
	c.Flags().Uint64Var(&options.World.Seed, "seed", options.World.Seed, "another seed makes another world")
	c.Flags().IntVar(&options.World.Users, "users", 0, "of a generated graph; 0: the real one")
	c.Flags().IntVar(&options.World.Follows, "follows", 0, "of a generated graph; 0: 50 for each user")
	c.Flags().IntVar(&options.World.Posts, "posts", options.World.Posts, "in the whole window")
	c.Flags().IntVar(&options.World.Events, "events", options.World.Events, "in the whole window")
	c.Flags().IntVar(&options.World.Blocks, "blocks", options.World.Blocks, "pairs of users")
	c.Flags().DurationVar(&options.World.Window, "window", options.World.Window,
		"how far back posts and events go, 1h to 720h")
	c.Flags().StringVar(&keys, "keys", "", "of users and posts, integer or uuid: what the setting keys says")
	c.Flags().BoolVar(&options.CreateSchema, "create-schema", false,
		"create the example app's tables if they are missing")
	c.Flags().BoolVar(&topic, "topic", false, "send events into the topic, as the API would write them")
	c.Flags().StringVar(&url, "api", "", "send events through the API at this URL, such as http://127.0.0.1:8080")
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
