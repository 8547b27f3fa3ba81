//go:build !production

package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	embeddedpg "github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/sql"
)

// benchWorld is a world on servers that run.
type benchWorld struct {
	cfg     config.Config
	dir     string
	servers *embedded.Stack
	harness.World
}

func (w *benchWorld) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return w.servers.Stop(ctx)
}

// stamp says what a directory holds. It is written once the world is whole.
type stamp struct {
	Options world.Options
	Schema  string
	World   harness.World
}

// worldAge is how long a world is used: then too much of it has left the windows.
const worldAge = 12 * time.Hour

// openWorld starts servers that hold the world of a scale: the one on the disk, if it is of the same
// options and schema and not too old, else a new one.
func openWorld(ctx context.Context, cfg config.Config, o BenchOptions, log *zap.Logger, out io.Writer) (_ *benchWorld,
	err error,
) {
	options, err := world.Scale(o.Scale)
	if err != nil {
		return nil, err
	}
	schema, err := schemaSum()
	if err != nil {
		return nil, err
	}
	w := &benchWorld{dir: filepath.Join(o.Dir, o.world())}
	file := filepath.Join(w.dir, "world.json")
	var kept stamp
	text, err := os.ReadFile(file)
	usable := err == nil && json.Unmarshal(text, &kept) == nil && reflect.DeepEqual(kept.Options, options) &&
		kept.Schema == schema &&
		time.Since(kept.World.Now) < worldAge
	if !usable {
		if err := errors.Join(embeddedpg.Remove(ctx, filepath.Join(w.dir, embedded.Postgres)),
			os.RemoveAll(w.dir)); err != nil {
			return nil, err
		}
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
	if o.Redis != "" {
		w.cfg.Redis.Addrs, w.cfg.Redis.DisableCache = []string{o.Redis}, cfg.Redis.DisableCache
	}
	if usable {
		w.World = kept.World
		_, err := fmt.Fprintf(out, "The world of scale %s, made %s ago.\n", o.world(),
			time.Since(w.Now).Round(time.Minute))
		return w, err
	}
	if err := w.make(ctx, o, options, out); err != nil {
		return nil, err
	}
	if text, err = json.MarshalIndent(stamp{Options: options, Schema: schema, World: w.World}, "", "  "); err != nil {
		return nil, err
	}
	return w, os.WriteFile(file, text, 0o600)
}

// world names the world of a scale and of keys.
func (o BenchOptions) world() string {
	if o.Keys.UUIDs() {
		return o.Scale + "-uuid"
	}
	return o.Scale
}

func (w *benchWorld) make(ctx context.Context, o BenchOptions, named world.Options, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "Making the world of scale %s.\n", o.world()); err != nil {
		return err
	}
	if !o.Keys.UUIDs() { // else the seed makes the tables
		if err := createExampleSchema(ctx, w.cfg.Postgres.DSN); err != nil {
			return err
		}
	}
	if _, err := app.Migrate(ctx, w.cfg, false); err != nil {
		return err
	}
	options := seed.DefaultOptions()
	options.World, options.World.Now = named, time.Now().UTC()
	options.Keys, options.CreateSchema = o.Keys, o.Keys.UUIDs()
	report, err := SeedBulk(ctx, w.cfg, options, out)
	if err != nil {
		return err
	}
	w.World = harness.World{
		Scale: o.world(), Keys: core.KeyForm(o.Keys), Users: report.Rows("users"), Posts: report.Rows("posts"),
		Events: report.Rows("events"), Now: options.World.Now, Seconds: report.Seconds,
	}
	return nil
}

// schemaSum changes with every statement that makes tables.
func schemaSum() (string, error) {
	sum := sha256.New()
	for _, dir := range []string{"clickhouse/migrations", "postgres/migrations", "postgres/example"} {
		if err := fs.WalkDir(sql.Files(), dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(sql.Files(), path)
			if err == nil {
				_, err = sum.Write(text)
			}
			return err
		}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}
