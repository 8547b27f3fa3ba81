package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
)

// Migration is what Migrate found or did, for one file or topic.
type Migration struct {
	Where  string // postgres, clickhouse or kafka
	Name   string
	Action string // "applied already", "apply", "create", "keep" or a warning
}

// Migrate brings our schema in PostgreSQL, the tables of ClickHouse and the topics of Kafka up to
// date. Replicas that start at once take turns. With dryRun it only tells what it would do.
func Migrate(ctx context.Context, cfg config.Config, dryRun bool) (done []Migration, err error) {
	err = migrate.Locked(ctx, cfg.Postgres, func(ctx context.Context, conn *pgx.Conn) error {
		states, err := migrate.Postgres(ctx, conn, dryRun)
		done = append(done, report("postgres", states)...)
		if err != nil {
			return err
		}
		states, err = migrate.ClickHouse(ctx, cfg.ClickHouse, dryRun)
		done = append(done, report("clickhouse", states)...)
		if err != nil {
			return err
		}
		kept, err := migrate.Retain(ctx, cfg.ClickHouse, cfg.Retention, dryRun)
		for _, c := range kept {
			done = append(done, Migration{
				Where: "clickhouse", Name: fmt.Sprintf("%s keeps %d days, not %d", c.Table, c.Now, c.Was),
				Action: "apply",
			})
		}
		if err != nil {
			return err
		}
		wanted, err := topics(cfg)
		if err != nil {
			return err
		}
		changes, err := kafka.EnsureTopics(cfg.Kafka, wanted, dryRun)
		for _, c := range changes {
			done = append(done, Migration{Where: "kafka", Name: c.Topic, Action: c.Action})
		}
		return err
	})
	return done, err
}

func report(where string, states []migrate.State) []Migration {
	out := make([]Migration, len(states))
	for i, s := range states {
		out[i] = Migration{Where: where, Name: s.Version + "_" + s.Name, Action: "apply"}
		if s.Applied {
			out[i].Action = "applied already"
		}
	}
	return out
}

// PrintMigrations writes a table.
func PrintMigrations(out io.Writer, done []Migration) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range done {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", m.Where, m.Name, m.Action); err != nil {
			return err
		}
	}
	return table.Flush()
}
