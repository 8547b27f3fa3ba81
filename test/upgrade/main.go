// Command upgrade is the drill of a rolling upgrade: replicas of the version before serve people on tables of that
// version; this version migrates them; each replica is replaced while people read, act and post; some are rolled
// back, and replaced again. No request may fail, no page may be degraded, no event may be lost or counted twice.
//
// versions.go builds both programs from git, load.go is the people before the replicas, drill.go replaces them, and
// verify.go compares what is left with what was answered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func main() {
	embedded.RunChildIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := asAsked(ctx); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "upgrade:", err)
		os.Exit(1)
	}
}

// options of a drill.
type options struct {
	before   string // a commit or tag
	requests int    // in all, at least
	plant    string // a statement for ClickHouse after the migrations, to see the drill fail
	dir      string // for programs, logs and servers
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }

func asAsked(ctx context.Context) (err error) {
	var o options
	flag.StringVar(&o.before, "before", "", "the commit or tag that is upgraded from")
	flag.IntVar(&o.requests, "requests", 12_000, "in all, at least")
	flag.StringVar(&o.plant, "plant", "", "a statement for ClickHouse after the migrations: one that breaks the version "+
		"before must make the drill fail")
	keep := flag.Bool("keep", false, "keep the programs and their logs")
	limit := flag.Duration("limit", 10*time.Minute, "of the whole drill")
	flag.Parse()
	if o.before == "" {
		return errors.New("-before: want the commit or tag that is upgraded from; `make upgrade` names one")
	}
	if o.dir, err = os.MkdirTemp("", "feedrank-upgrade-"); err != nil {
		return err
	}
	defer func() {
		if *keep || err != nil {
			say("logs are in %s", o.dir)
			_ = os.RemoveAll(filepath.Join(o.dir, "before"))
			return
		}
		err = os.RemoveAll(o.dir)
	}()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	return run(ctx, o)
}
