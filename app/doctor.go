package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/doctor"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Doctor looks at the deployment that the configuration describes, and at the replicas at these addresses; without any,
// at the one that would be here.
func Doctor(ctx context.Context, cfg config.Config, replicas []string) (doctor.Report, error) {
	pool, err := postgres.NewReadOnlyPool(ctx, cfg.Postgres)
	if err != nil {
		return doctor.Report{}, err
	}
	defer pool.Close()
	ours := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	defer ours.Close()
	clock := core.SystemClock{}
	cache := redis.New(cfg.Redis, clock)
	defer cache.Close()
	wanted, err := topics(cfg)
	if err != nil {
		return doctor.Report{}, err
	}
	watched := doctor.PostgreSQL{Pool: pool, Clock: clock, Limits: doctor.DefaultLimits()}
	if cfg.Modules.CDCSource.Enabled {
		watched.Slot = cfg.CDC.Source.Slot
	}
	checks := slices.Concat(
		watched.Checks(),
		[]doctor.Check{mappingCheck(cfg), sourceCheck(cfg, pool), countedCheck(cfg, pool), migrationsCheck(cfg)},
		doctor.ClickHouse{
			Client: ours, Clock: clock, MaxPosts: cfg.Feed.Hot.MaxPosts, Window: cfg.Feed.Hot.Window,
			Limits: doctor.DefaultLimits(),
		}.Checks(),
		[]doctor.Check{clickHouseCheck(cfg)},
		doctor.Kafka{Config: cfg.Kafka, Topics: wanted, Groups: groups(cfg)}.Checks(),
		doctor.Redis{Client: cache, Clock: clock}.Checks(),
	)
	token, err := operatorToken(cfg, clock.Now())
	if err != nil {
		return doctor.Report{}, err
	}
	if len(replicas) == 0 {
		replicas = []string{operators(cfg)}
	}
	for _, address := range replicas {
		checks = append(checks, doctor.Replica{URL: address, Token: token}.Checks()...)
	}
	return doctor.Examine(ctx, clock, Version, checks), nil
}

func mappingCheck(cfg config.Config) doctor.Check {
	return doctor.Check{
		Area: "postgres", Looks: "the app's tables against cdc.tables",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			return append(lines("postgres", CheckTables(ctx, cfg), "mend cdc.tables, or the table"),
				advice("postgres", Warnings(cfg), "map another column")...), nil
		},
	}
}

func sourceCheck(cfg config.Config, pool *pgxpool.Pool) doctor.Check {
	return doctor.Check{
		Area: "postgres", Looks: "wal_level, our role, the publication and what it carries",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			if !cfg.Modules.CDCSource.Enabled {
				return nil, nil
			}
			return lines("postgres", schema.CheckSource(ctx, pool, cfg.CDC.Source, cfg.CDC.Tables),
				"until then, no change arrives"), nil
		},
	}
}

func countedCheck(cfg config.Config, pool *pgxpool.Pool) doctor.Check {
	return doctor.Check{
		Area: "postgres", Looks: "where likes and comments are counted",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			warnings, err := schema.CheckCounted(ctx, pool, cfg.CDC.Tables, cfg.Engagement)
			return advice("postgres", warnings, "set engagement as it says, or leave it where it is meant"), err
		},
	}
}

func clickHouseCheck(cfg config.Config) doctor.Check {
	return doctor.Check{
		Area: "clickhouse", Looks: "version, settings of the profile, grants",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			warnings, err := CheckClickHouse(ctx, cfg.ClickHouse)
			return append(lines("clickhouse", err, "until then, feedrank does not start"),
				advice("clickhouse", warnings, "update it")...), nil
		},
	}
}

func migrationsCheck(cfg config.Config) doctor.Check {
	return doctor.Check{
		Area: "feedrank", Looks: "migrations",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			done, err := Migrate(ctx, cfg, true)
			var pending []string
			for _, m := range done {
				if m.Action == "apply" {
					pending = append(pending, m.Where+" "+m.Name)
				}
			}
			if len(pending) == 0 {
				return nil, err
			}
			return []doctor.Finding{{
				Level: doctor.Broken, Area: "feedrank", Says: "not migrated: " + strings.Join(pending, ", "),
				Do: "run feedrank migrate",
			}}, nil
		},
	}
}

// lines makes a finding of every error that is joined in one.
func lines(area string, err error, do string) (found []doctor.Finding) {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, one := range joined.Unwrap() {
			found = append(found, lines(area, one, do)...)
		}
		return found
	}
	return []doctor.Finding{{Level: doctor.Broken, Area: area, Says: err.Error(), Do: do}}
}

// advice makes a finding of every warning.
func advice(area string, warnings []string, do string) (found []doctor.Finding) {
	for _, w := range warnings {
		found = append(found, doctor.Finding{Level: doctor.Advice, Area: area, Says: w, Do: do})
	}
	return found
}

// groups are the consumer groups that a whole deployment has.
func groups(cfg config.Config) (all []string) {
	if cfg.Modules.EventsConsumer.Enabled {
		all = append(all, consumer.Group)
	}
	if cfg.Modules.CDCConsumer.Enabled {
		all = append(all, cfg.CDC.Consumer.Group)
	}
	return all
}

const askedFor = 5 * time.Minute // a report takes seconds

func operatorToken(cfg config.Config, now time.Time) (string, error) {
	if cfg.Auth.HS256Secret == "" {
		return "", nil // another signs; what is open to anybody is looked at
	}
	return auth.SignOperator(cfg.Auth, "doctor", true, askedFor, now)
}

// operators is where a replica with this configuration would answer here.
func operators(cfg config.Config) string {
	address := cfg.HTTP.AdminAddr
	if address == "" {
		address = cfg.HTTP.Addr
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if cfg.HTTP.TLS.Enabled() {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port))
}
