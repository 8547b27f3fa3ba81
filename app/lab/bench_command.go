//go:build !production

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

func benchCommand() *cobra.Command {
	var s cli.Settings
	var o BenchOptions
	var file, echo string
	var keys []string
	var limit time.Duration
	c := &cobra.Command{
		Use: "bench NAME", Short: "Measure the program on a seeded world, and compare with what is promised",
		Long: "bench starts embedded servers that hold a seeded world, runs the program as a process of its own, puts load on it,\n" +
			"and prints what was required, what is aimed at, and what it measured. The report is also written as JSON.\n\n" + listBenches(),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if echo != "" {
				return harness.EchoServer(c.Context(), echo, c.ErrOrStderr())
			}
			if len(args) == 0 {
				return cli.Usagef("which bench?\n\n%s", listBenches())
			}
			o.Name = args[0]
			cfg, err := s.Load(config.DevDefaults()...)
			if err != nil {
				return err
			}
			for _, set := range s.Set {
				o.Args = append(o.Args, "--set", set)
			}
			if s.File != "" {
				o.Args = append(o.Args, "--config", s.File)
			}
			ctx, cancel := context.WithTimeoutCause(c.Context(), limit,
				fmt.Errorf("the bench was not done after %s (--limit)", limit))
			defer cancel()
			if len(keys) > 1 && file != "" {
				return cli.Usagef("--out: want one of --keys with it")
			}
			for _, k := range keys {
				o.Keys = seed.Keys(k)
				if err := benchOne(ctx, cfg, o, file, c.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	s.Flags(c)
	c.Flags().StringVar(&o.Scale, "scale", world.Small,
		"of the world: small, tenth (of the reference), reference or large")
	c.Flags().StringSliceVar(&keys, "keys", []string{string(core.IntegerKeys)},
		"of the world: integer or uuid; both, with a comma, for one after the other")
	c.Flags().StringVar(&file, "out", "", "the report; empty: test/reports/NAME-SCALE.json")
	c.Flags().StringVar(&o.Dir, "dir", filepath.Join("data", "bench"), "where the worlds are kept")
	c.Flags().StringVar(&o.Redis, "redis", "",
		"address of an empty Redis to use instead of the embedded one; what it costs is counted among the others'")
	c.Flags().DurationVar(&o.For, "for", 0, "how long each load lasts; 0: as long as the bench says")
	c.Flags().Float64Var(&o.Rate, "rate", 0, "requests or events a second; 0: as the bench says")
	c.Flags().StringVar(&o.Profiles, "profiles", "",
		"a folder for profiles of the program's processor time and memory under each load, for go tool pprof; empty: none")
	c.Flags().DurationVar(&limit, "limit", 30*time.Minute, "when to give up, seeding included")
	c.Flags().StringVar(&echo, "echo", "", "")
	_ = c.Flags().MarkHidden("echo") // it is there: this program runs itself with it
	return c
}

// benchOne measures on one world, prints what was found and keeps it.
func benchOne(ctx context.Context, cfg config.Config, o BenchOptions, file string, out io.Writer) error {
	if form := core.KeyForm(o.Keys); form != core.IntegerKeys && form != core.UUIDKeys {
		return cli.Usagef("--keys %s: want integer or uuid", form)
	}
	report, err := Bench(ctx, cfg, o, out)
	if errors.Is(err, bench.ErrUnknown) || errors.Is(err, world.ErrUnknownScale) || errors.Is(err, ErrIntegersAlone) {
		return fmt.Errorf("%w; %w", err, cli.ErrUsage)
	}
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	if file == "" {
		file = filepath.Join("test", "reports", o.Name+"-"+o.world()+".json")
	}
	return errors.Join(report.Print(out), report.Save(file), report.Err())
}

func listBenches() string {
	var text strings.Builder
	for _, b := range bench.All() {
		fmt.Fprintf(&text, "  %-15s %s\n", b.Name, b.Says)
	}
	return text.String()
}
