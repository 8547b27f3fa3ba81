// Command cdc runs the copying of the app's tables as it is in production: sources and consumers are
// processes of their own, and so are PostgreSQL, Kafka and ClickHouse.
//
// `cdc chaos` is the drill that it must pass: random transactions are committed while every part is
// killed with SIGKILL at random moments; at the end every table is compared with its copy, row by row.
// `cdc measure` measures latency, throughput and memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func main() {
	embedded.RunChildIfAsked()
	workIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := asAsked(ctx, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cdc:", err)
		os.Exit(1)
	}
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }

func asAsked(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want chaos or measure")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	switch args[0] {
	case "chaos":
		o := options{say: say}
		flags.Uint64Var(&o.seed, "seed", 1, "of the transactions and of the plan")
		flags.IntVar(&o.kills, "kills", 20, "of each part")
		flags.IntVar(&o.freezes, "freezes", 5, "of a consumer, and of the leading source, until another has its part")
		flags.IntVar(&o.writers, "writers", 4, "sessions of the app")
		flags.DurationVar(&o.drain, "drain", 3*time.Minute, "until the tables must be equal, at the end")
		form := flags.String("keys", string(core.IntegerKeys), "of the app: integer or uuid")
		limit := flags.Duration("limit", 20*time.Minute, "of the whole drill")
		_ = flags.Parse(args[1:]) // it exits
		if o.keys = core.KeyForm(*form); o.keys != core.IntegerKeys && o.keys != core.UUIDKeys {
			return fmt.Errorf("-keys %s: want integer or uuid", o.keys)
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		return drillAndReport(ctx, o)
	case "measure":
		m := measurements{say: say}
		flags.IntVar(&m.trials, "trials", 200, "of each rate")
		flags.IntVar(&m.rows, "rows", 1_000_000, "of the large transaction, of the snapshot and of the comparison")
		flags.StringVar(&m.part, "part", "", "only latencies, snapshot or transaction")
		_ = flags.Parse(args[1:]) // it exits
		return m.run(ctx)
	}
	return fmt.Errorf("%q: want chaos or measure", args[0])
}

var errUnequal = errors.New("the tables are not equal, or a part ended by itself")

func drillAndReport(ctx context.Context, o options) error {
	r, err := run(ctx, o)
	if err != nil {
		return err
	}
	if r.wrong != "" {
		o.say("%s\n", r.wrong)
	}
	o.say("%s\n", r.line())
	if r.wrong != "" {
		return errUnequal
	}
	return nil
}
