// Command feedrank is the ranked home feed of a social app: see README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/seed"
	"github.com/feedrank/feedrank/modules/seed/world"
)

// version is set by the linker.
var version = "dev"

// The exit codes.
const (
	exitFailed = 1 // it ran and failed
	exitUsage  = 2 // a flag, an argument or the configuration is wrong
)

func main() {
	embedded.RunChildIfAsked()
	app.Version = version
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "feedrank:", err)
	var mistakes config.Problems
	if errors.As(err, &mistakes) || errors.Is(err, errUsage) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

var errUsage = app.ErrUsage

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "feedrank",
		Short: "The ranked home feed of a social app, as one program",
		Long: "feedrank takes changes from PostgreSQL and events from clients through Kafka into ClickHouse,\n" +
			"ranks a feed from them, and serves it through Redis.",
		SilenceUsage: true, SilenceErrors: true, Version: version,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w; %w", err, errUsage) })
	root.AddCommand(
		serveCommand(), devCommand(), demoCommand(), embeddedCommand(), migrateCommand(), checkConfigCommand(), resyncCommand(),
		modulesCommand(), seedCommand(), tokenCommand(), versionCommand(),
		app.ExplainCommand(loading), app.DLQCommand(loading), app.AuditCommand(loading), app.RebuildViewsCommand(loading),
	)
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArguments
		}
	}
	return root
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q; %w", args[0], errUsage)
	}
	return nil
}

// settings are the flags that say where the configuration comes from.
type settings struct {
	file  string
	set   []string
	roles []string
}

func (s *settings) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.file, "config", "c", os.Getenv("FEEDRANK_CONFIG"), "configuration file (YAML); also FEEDRANK_CONFIG")
	c.Flags().StringArrayVar(&s.set, "set", nil, "set a key, over the file and the environment: --set kafka.brokers=a:9092,b:9092")
	c.Flags().StringSliceVar(&s.roles, "roles", nil, "what this process does: all, or some of api, events-consumer, cdc-consumer, cdc-source, jobs")
}

// load reads the configuration; under are settings beneath the file.
func (s *settings) load(under ...string) (config.Config, error) {
	sources := config.Sources{Under: under, File: s.file, Env: os.Environ(), Set: s.set}
	for i, role := range s.roles {
		if i == 0 {
			sources.Set = append(sources.Set, "roles="+role)
		} else {
			sources.Set[len(sources.Set)-1] += "," + role
		}
	}
	return config.Load(sources)
}

// loading gives a command the flags of settings, and returns what loads them.
func loading(c *cobra.Command) func() (config.Config, error) {
	var s settings
	s.flags(c)
	return func() (config.Config, error) { return s.load() }
}

func serveCommand() *cobra.Command {
	var s settings
	var migrateFirst bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the roles of the configuration",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			log, err := ops.NewLogger(cfg.Log)
			if err != nil {
				return err
			}
			if migrateFirst {
				if _, err := app.Migrate(c.Context(), cfg, false); err != nil {
					return fmt.Errorf("migrate: %w", err)
				}
			}
			return app.Serve(c.Context(), cfg, log, app.FollowFile(s.file, func() (config.Config, error) { return s.load() }))
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&migrateFirst, "migrate", false, "bring the schemas and topics up to date first")
	return c
}

func devCommand() *cobra.Command {
	var s settings
	var dir string
	c := &cobra.Command{
		Use: "dev", Short: "Run every role on embedded servers, with nothing to install",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load(app.DevDefaults()...)
			if err != nil {
				return err
			}
			return app.RunDev(c.Context(), cfg, dir, c.OutOrStdout())
		},
	}
	s.flags(c)
	c.Flags().StringVar(&dir, "dir", "data/dev", "where the embedded servers keep their data; empty: a temporary directory")
	return c
}

func demoCommand() *cobra.Command {
	var s settings
	var once bool
	var trials int
	c := &cobra.Command{
		Use: "demo", Short: "Show everything at work: embedded servers, a seeded world and a guided tour",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load(append(app.DevDefaults(), "log.level=error")...) // the tour kills a server: warnings are expected
			if err != nil {
				return err
			}
			return app.Demo(c.Context(), cfg, once, trials, c.OutOrStdout())
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&once, "once", false, "end after the tour with one line of figures; exit 0 only if every step held")
	c.Flags().IntVar(&trials, "trials", 20, "how often to measure each latency, 1 to 10000")
	return c
}

func embeddedCommand() *cobra.Command {
	var options embedded.Options
	var asJSON bool
	c := &cobra.Command{
		Use: "embedded", Short: "Run the embedded servers alone, and print their addresses",
		RunE: func(c *cobra.Command, _ []string) error {
			return embedded.RunForeground(c.Context(), options, asJSON, c.OutOrStdout())
		},
	}
	c.Flags().StringSliceVar(&options.Only, "only", nil, "some of: clickhouse, postgres, kafka, redis")
	c.Flags().StringVar(&options.Dir, "dir", "", "where they keep their data; empty: a temporary directory")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON once all are ready")
	return c
}

func migrateCommand() *cobra.Command {
	var s settings
	var dryRun bool
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the schemas of ClickHouse and PostgreSQL and the topics of Kafka up to date",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			done, err := app.Migrate(c.Context(), cfg, dryRun)
			return errors.Join(app.PrintMigrations(c.OutOrStdout(), done), err)
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only tell what would be done")
	c.Flags().BoolVar(&dryRun, "status", false, "only tell where things stand (the same as --dry-run)")
	return c
}

func checkConfigCommand() *cobra.Command {
	var s settings
	var connect bool
	c := &cobra.Command{
		Use: "check-config [FILE]", Short: "Validate a configuration and name every mistake", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.file = args[0]
			}
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if err := app.Validate(cfg); err != nil {
				return err
			}
			said := "the configuration is valid"
			if connect {
				if err := app.CheckTables(c.Context(), cfg); err != nil {
					return err
				}
				said += ", and cdc.tables fits the app's database"
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return err
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&connect, "connect", false, "also compare cdc.tables with the app's database")
	return c
}

func resyncCommand() *cobra.Command {
	var s settings
	var table string
	var check bool
	var settle time.Duration
	c := &cobra.Command{
		Use: "resync", Short: "Compare the app's tables with their copies in ClickHouse, and repair what differs",
		Long: "resync reads the app's tables and their copies while changes go on, and sends what sets the copies right\n" +
			"to the running CDC consumer. A row counts only if it differs for some time (--settle): what is on its way is none.\n" +
			"With --check it only tells, and exits with 1 if anything differs.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load(app.DevDefaults()...) // no key is needed
			if err != nil {
				return err
			}
			differences, err := app.Resync(c.Context(), cfg, table, !check, settle, c.OutOrStdout())
			if err == nil && check && differences > 0 {
				err = fmt.Errorf("%d rows differ: `feedrank resync` repairs them", differences)
			}
			return err
		},
	}
	s.flags(c)
	c.Flags().StringVar(&table, "table", "", "only this table, such as public.posts; empty: all that are mapped")
	c.Flags().BoolVar(&check, "check", false, "only compare")
	c.Flags().DurationVar(&settle, "settle", 10*time.Second, "how long a row must differ; longer than changes take to arrive")
	return c
}

func modulesCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use: "modules", Short: "List the modules, and say which of them run with these roles and why",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load(app.DevDefaults()...) // a list of modules needs no key
			if err != nil {
				return err
			}
			return printModules(c.OutOrStdout(), app.Choose(cfg))
		},
	}
	s.flags(c)
	return c
}

func printModules(out io.Writer, choices []app.Choice) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODULE\tON\tWHY\tROLES\tWHAT IT DOES") //nolint:errcheck // Flush tells
	for _, m := range choices {
		on := "no"
		if m.On {
			on = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.Name, on, m.Why, m.RoleNames(), m.Says) //nolint:errcheck // Flush tells
	}
	return table.Flush()
}

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

// overlay puts the flags that were given over a world of a named size.
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

func tokenCommand() *cobra.Command {
	var s settings
	var user string
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
			if user == "" && !admin {
				return fmt.Errorf("say --user ID, --admin, or both; %w", errUsage)
			}
			token, err := auth.Sign(cfg.Auth, id, admin, validFor, time.Now())
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
	c.Flags().DurationVar(&validFor, "valid-for", time.Hour, "how long it holds")
	return c
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		RunE: func(c *cobra.Command, _ []string) error {
			commit := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "feedrank %s (commit %s, %s, %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
