//go:build !production

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/config/grants"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/sql"
)

// Dev is the whole of feedrank on one machine: the embedded servers, migrated, and a program with
// every role.
type Dev struct {
	Config  config.Config
	Servers *embedded.Stack
	Program *app.Program
}

// StartDev starts the embedded servers in dir (empty: a temporary one) and, on top of cfg, a program
// that uses them. The app's database gets the example schema.
func StartDev(ctx context.Context, cfg config.Config, dir string, log *zap.Logger) (_ *Dev, err error) {
	servers, err := embedded.Start(ctx, embedded.Options{Dir: dir, ClickHouseGrants: grants.ClickHouse, Logger: log})
	if err != nil {
		return nil, err
	}
	d := &Dev{Config: OnEmbedded(cfg, servers.Addresses()), Servers: servers}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Stop())
		}
	}()
	if err := createExampleSchema(ctx, d.Config.Postgres.DSN); err != nil {
		return nil, err
	}
	if _, err := app.Migrate(ctx, d.Config, false); err != nil {
		return nil, err
	}
	d.Program, err = app.Start(ctx, d.Config, log)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// RunDev runs a Dev until ctx ends, and says where it is.
func RunDev(ctx context.Context, cfg config.Config, dir string, out io.Writer) error {
	log, err := ops.NewLogger(cfg.Log)
	if err != nil {
		return err
	}
	d, err := StartDev(ctx, cfg, dir, log)
	if err != nil {
		return err
	}
	if err := d.introduce(out); err != nil {
		return errors.Join(err, d.Stop())
	}
	err = d.Program.Wait(ctx) // it is stopped by then
	d.Program = nil
	return errors.Join(err, d.Stop())
}

func (d *Dev) introduce(out io.Writer) error {
	token, err := auth.Sign(d.Config.Auth, 1, true, 24*time.Hour, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out,
		"feedrank answers at %s; PostgreSQL is at %s\n\n  curl -H 'Authorization: Bearer %s' %s/api/v1/feed\n\n"+
			"The console (the link logs you in once, within minutes): %s\n\n"+
			"Ask ClickHouse, as one who only reads, with\n\n  %s\n\n"+
			"Other commands, such as doctor, resync, dlq or audit, find these servers with\n\n  export %s\n\n",
		d.URL(), d.Config.Postgres.DSN, token, d.URL(), d.Program.ConsoleAddress("dev", linkHolds),
		askClickHouse(d.Servers.Addresses()),
		strings.Join(d.environment(), " "))
	return err
}

// askClickHouse is a command line that counts the events in ClickHouse.
func askClickHouse(at embedded.Addresses) string {
	a := at.ClickHouse
	for _, user := range a.Users {
		if user.Name == "feedrank_read" {
			return fmt.Sprintf("curl -su %s:%s http://%s/ --data-binary 'SELECT count() FROM %s.events'", user.Name,
				user.Password, a.HTTP, a.Database)
		}
	}
	return ""
}

// environment is what another command needs to find the embedded servers.
func (d *Dev) environment() []string {
	c := d.Config
	all := []string{
		"FEEDRANK_HTTP__ADDR=" + strings.TrimPrefix(d.URL(), "http://"),
		"FEEDRANK_AUTH__HS256_SECRET=" + c.Auth.HS256Secret,
		"FEEDRANK_POSTGRES__DSN='" + c.Postgres.DSN + "'",
		"FEEDRANK_KAFKA__BROKERS=" + strings.Join(c.Kafka.Brokers, ","),
		"FEEDRANK_REDIS__ADDRS=" + strings.Join(c.Redis.Addrs, ","),
		"FEEDRANK_CLICKHOUSE__ADDRS=" + strings.Join(c.ClickHouse.Addrs, ","),
		"FEEDRANK_CLICKHOUSE__USER=" + c.ClickHouse.User,
	}
	if c.ClickHouse.Password != "" {
		all = append(all, "FEEDRANK_CLICKHOUSE__PASSWORD='"+c.ClickHouse.Password+"'")
	}
	return all
}

// Stop ends the program, then the servers.
func (d *Dev) Stop() error {
	var failed error
	if d.Program != nil {
		failed = d.Program.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(failed, d.Servers.Stop(ctx))
}

// URL is where the API answers.
func (d *Dev) URL() string {
	if d.Config.HTTP.TLS.Enabled() {
		return "https://" + d.Program.Addr()
	}
	return "http://" + d.Program.Addr()
}

// OnEmbedded points the clients at embedded servers.
func OnEmbedded(cfg config.Config, at embedded.Addresses) config.Config {
	if a := at.ClickHouse; a != nil {
		cfg.ClickHouse.Addrs, cfg.ClickHouse.User, cfg.ClickHouse.Password = []string{a.Addr}, a.User, a.Password
	}
	if a := at.Postgres; a != nil {
		cfg.Postgres.DSN = a.DSN
	}
	if a := at.Kafka; a != nil {
		cfg.Kafka.Brokers, cfg.Kafka.ReplicationFactor = a.Brokers, 1
	}
	if a := at.Redis; a != nil {
		cfg.Redis.Addrs, cfg.Redis.DisableCache = []string{a.Addr}, true // it has no CLIENT TRACKING
	}
	return cfg
}

func createExampleSchema(ctx context.Context, dsn string) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("embedded postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, sql.ExampleSchema()); err != nil {
		return fmt.Errorf("create the example schema: %w", err)
	}
	return nil
}
