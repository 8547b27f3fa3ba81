//go:build !production

package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// BenchOptions say what to measure, and on which world.
type BenchOptions struct {
	Name  string
	Scale string
	Keys  seed.Keys // of the world; empty: integers
	Dir   string    // where the worlds are kept
	For   time.Duration
	Rate  float64
	Args  []string // settings for the program, as on its command line
	// Redis is the address of a Redis to use instead of the embedded one; it must be empty. What it costs is
	// counted among the others'.
	Redis string
	// Profiles is a folder for profiles; empty: none.
	Profiles string
}

// ErrIntegersAlone is of a bench that cannot measure a world of UUIDs.
var ErrIntegersAlone = errors.New("this bench measures a world whose keys are integers alone")

// Bench measures the program, as a process of its own, on embedded servers that hold a seeded world.
func Bench(ctx context.Context, cfg config.Config, o BenchOptions, out io.Writer) (_ *harness.Report, err error) {
	b, err := bench.Find(o.Name)
	if err != nil {
		return nil, err
	}
	if o.Keys.UUIDs() {
		if !b.AnyKeys {
			return nil, fmt.Errorf("%s: %w", o.Name, ErrIntegersAlone)
		}
		cfg.Keys.Users, cfg.Keys.Posts = core.UUIDKeys, core.UUIDKeys
		cfg = cfg.WithKeyForms()
	}
	log, err := ops.NewLogger(cfg.Log)
	if err != nil {
		return nil, err
	}
	w, err := openWorld(ctx, cfg, o, log, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	env, err := w.env(ctx, o, out)
	if err != nil {
		return nil, err
	}
	defer env.Postgres.Close()
	defer env.ClickHouse.Close()
	defer env.Redis.Close()
	return harness.Measure(ctx, b, env)
}

func (w *benchWorld) env(ctx context.Context, o BenchOptions, out io.Writer) (harness.Target, error) {
	program, err := os.Executable()
	if err != nil {
		return harness.Target{}, err
	}
	pool, err := postgres.NewPool(ctx, w.cfg.Postgres)
	if err != nil {
		return harness.Target{}, err
	}
	keys := seed.Keys(w.Keys)
	env := harness.Target{
		World: w.World, Keys: keys, Postgres: pool,
		ClickHouse: clickhouse.New(w.cfg.ClickHouse, prometheus.NewRegistry()),
		Redis:      redis.New(w.cfg.Redis, core.SystemClock{}), Kafka: w.cfg.Kafka, Logs: w.dir, Out: out,
		Version: app.Version, For: o.For,
		Rate: o.Rate, Profiles: o.Profiles,
		Token: func(user core.ID) (string, error) {
			return auth.SignUser(w.cfg.Auth, keys.User(user), true, 24*time.Hour, time.Now())
		},
		Feedrank: func(args ...string) *exec.Cmd {
			cmd := exec.Command(program, append(args, o.Args...)...)
			cmd.Env = append(os.Environ(), onServers(w.cfg)...)
			return cmd
		},
	}
	if o.Redis != "" {
		if err := empty(ctx, env.Redis); err != nil {
			return harness.Target{}, fmt.Errorf("--redis %s: %w", o.Redis, err)
		}
	}
	for _, s := range w.servers.Servers() {
		env.Servers = append(env.Servers, s)
	}
	return env, nil
}

var errNotEmpty = errors.New("want an empty one: a bench fills it, and begins as if everything was lost")

func empty(ctx context.Context, client *redis.Client) error {
	conn, err := client.Conn()
	if err != nil {
		return err
	}
	for _, node := range conn.Nodes() {
		keys, err := node.Do(ctx, node.B().Dbsize().Build()).AsInt64()
		switch {
		case err != nil:
			return err
		case keys > 0:
			return errNotEmpty
		}
	}
	return nil
}

// onServers are the settings of a program on these servers, as variables of its environment.
func onServers(cfg config.Config) []string {
	return []string{
		"FEEDRANK_AUTH__HS256_SECRET=" + cfg.Auth.HS256Secret,
		"FEEDRANK_CLICKHOUSE__ADDRS=" + cfg.ClickHouse.Addrs[0], "FEEDRANK_CLICKHOUSE__USER=" + cfg.ClickHouse.User,
		"FEEDRANK_CLICKHOUSE__PASSWORD=" + cfg.ClickHouse.Password, "FEEDRANK_POSTGRES__DSN=" + cfg.Postgres.DSN,
		"FEEDRANK_KAFKA__BROKERS=" + cfg.Kafka.Brokers[0],
		fmt.Sprint("FEEDRANK_KAFKA__REPLICATION_FACTOR=", cfg.Kafka.ReplicationFactor),
		"FEEDRANK_REDIS__ADDRS=" + cfg.Redis.Addrs[0],
		fmt.Sprint("FEEDRANK_REDIS__DISABLE_CACHE=", cfg.Redis.DisableCache),
		fmt.Sprint("FEEDRANK_KEYS__USERS=", cfg.Keys.Users), fmt.Sprint("FEEDRANK_KEYS__POSTS=", cfg.Keys.Posts),
		"FEEDRANK_FEED__CURSOR_SECRETS=" + rand.Text() + rand.Text(),
	}
}
