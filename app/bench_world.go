package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/bench"
	"github.com/feedrank/feedrank/modules/embedded"
	embeddedpg "github.com/feedrank/feedrank/modules/embedded/postgres"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/seed"
	"github.com/feedrank/feedrank/modules/seed/world"
)

// openWorld starts servers that hold the world of a scale.
func openWorld(ctx context.Context, cfg config.Config, o BenchOptions, log *zap.Logger, out io.Writer) (_ *benchWorld, err error) {
	named, err := world.Scale(o.Scale)
	if err != nil {
		return nil, err
	}
	w := &benchWorld{dir: filepath.Join(o.Dir, o.Scale)}
	if err := errors.Join(embeddedpg.Remove(ctx, filepath.Join(w.dir, embedded.Postgres)), os.RemoveAll(w.dir)); err != nil {
		return nil, err
	}
	if w.servers, err = embedded.Start(ctx, embedded.Options{Dir: w.dir, Logger: log}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.cfg = OnEmbedded(cfg, w.servers.Addresses())
	if err := createExampleSchema(ctx, w.cfg.Postgres.DSN); err != nil {
		return nil, err
	}
	if _, err := Migrate(ctx, w.cfg, false); err != nil {
		return nil, err
	}
	options := seed.DefaultOptions()
	options.World, options.World.Now = named, time.Now()
	if _, err := fmt.Fprintf(out, "Seeding the world of scale %s.\n", o.Scale); err != nil {
		return nil, err
	}
	if _, err := Seed(ctx, w.cfg, options, "", out); err != nil {
		return nil, err
	}
	made, err := world.New(options.World)
	if err != nil {
		return nil, err
	}
	w.World = bench.World{Scale: o.Scale, Users: made.Count().Users, Posts: made.Count().Posts, Events: made.Count().Events, Now: options.World.Now}
	return w, w.applied(ctx, log)
}

// applied runs the program until ClickHouse has all of the world.
func (w *benchWorld) applied(ctx context.Context, log *zap.Logger) (err error) {
	cfg := w.cfg
	cfg.HTTP.Addr = "127.0.0.1:0"
	program, err := Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Stop()) }()
	client := clickhouse.New(w.cfg.ClickHouse, prometheus.NewRegistry())
	defer client.Close()
	wanted := fmt.Sprint(w.Events, w.Posts, w.Users)
	for ticks := time.Tick(100 * time.Millisecond); ; {
		var found proto.ColStr
		if err := client.Read(ctx, clickhouse.Query{Name: "bench_world", Query: ch.Query{
			Body: "SELECT assumeNotNull(concat(toString((SELECT count() FROM events)), ' ', toString((SELECT count() FROM posts FINAL)), ' '," +
				" toString((SELECT count() FROM users FINAL)))) AS found", Result: proto.Results{{Name: "found", Data: &found}},
		}}); err != nil {
			return err
		}
		if found.Row(0) == wanted {
			return nil
		}
		select {
		case <-ticks:
		case <-ctx.Done():
			return fmt.Errorf("ClickHouse has %s of %s: %w", found.Row(0), wanted, ctx.Err())
		}
	}
}
