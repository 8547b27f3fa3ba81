//go:build !production

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/demo"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// linkHolds is how long a link into the console waits to be used.
const linkHolds = 15 * time.Minute

// Demo runs everything on embedded servers in a temporary directory, seeds a world, keeps its people
// busy, and leads through the tour.
func Demo(ctx context.Context, cfg config.Config, once bool, trials int, out io.Writer) (err error) {
	log, err := ops.NewLogger(cfg.Log)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out,
		"Starting ClickHouse, PostgreSQL, Kafka and Redis, and feedrank on them."); err != nil {
		return err
	}
	began := time.Now()
	d, err := StartDev(ctx, cfg, "", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	started := time.Since(began)
	console := func() string { return d.Program.ConsoleAddress("demo", linkHolds) }
	if _, err := fmt.Fprintf(out, "The console, for a look meanwhile (the link logs you in once, within minutes):\n\n  %s\n\n",
		console()); err != nil {
		return err
	}

	pool, err := postgres.NewPool(ctx, d.Config.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := clickhouse.New(d.Config.ClickHouse, prometheus.NewRegistry())
	defer client.Close()

	report, err := Seed(ctx, d.Config, seed.DefaultOptions(), d.URL(), out)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return demo.Run(ctx, demo.Options{
		Once: once, Trials: trials, Out: out,
		Figures: []demo.Figure{
			{Name: "ready_s", Value: fmt.Sprintf("%.1f", started.Seconds())},
			{Name: "seed_s", Value: fmt.Sprintf("%.1f", report.Seconds)},
		},
	}, demo.Deps{
		BaseURL: d.URL(), Token: tokens(d.Config), Admin: operator(d.Config), Postgres: pool, ClickHouse: client,
		Servers: servers{d.Servers}, AskServer: askClickHouse(d.Servers.Addresses()),
		Console: console, Environment: d.environment(), Life: life(d.Config, pool, d.URL()),
	})
}

// operator signs tokens with the admin scope.
func operator(cfg config.Config) func() (string, error) {
	return func() (string, error) { return auth.SignOperator(cfg.Auth, "demo", false, time.Hour, time.Now()) }
}

// life keeps the people of the demo's world busy, all but some.
func life(cfg config.Config, pool *pgxpool.Pool, url string) func(context.Context, []core.ID) error {
	return func(ctx context.Context, except []core.ID) error {
		pace := seed.LifeConfig{Seed: 1, Posts: 0.5, Sessions: 2, Except: except}
		return seed.NewLife(pace, pool, poster(cfg, "", url), core.SystemClock{}).Run(ctx)
	}
}

// servers switches an embedded server off and on.
type servers struct{ stack *embedded.Stack }

func (s servers) find(name string) (*embedded.Server, error) {
	for _, server := range s.stack.Servers() {
		if server.Name() == name {
			return server, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, embedded.ErrUnknownServer)
}

func (s servers) Kill(name string) error {
	server, err := s.find(name)
	if err != nil {
		return err
	}
	return server.Kill()
}

func (s servers) Restart(ctx context.Context, name string) error {
	server, err := s.find(name)
	if err != nil {
		return err
	}
	return server.Start(ctx)
}
