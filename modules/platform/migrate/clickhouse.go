package migrate

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse brings the tables of ClickHouse up to date; with dryRun it only tells what it would do.
// The caller holds the lock (see Locked): ClickHouse has none to offer. A statement may be run again
// after a crash in the middle of a file, so each must be idempotent.
func ClickHouse(ctx context.Context, cfg clickhouse.Config, dryRun bool) ([]State, error) {
	migrations, err := load(sql.Files(), "clickhouse/migrations")
	if err != nil {
		return nil, err
	}
	if !dryRun {
		if err := createDatabase(ctx, cfg); err != nil {
			return nil, fmt.Errorf("clickhouse: %w", err)
		}
	}
	client := clickhouse.New(cfg, prometheus.NewRegistry())
	defer client.Close()
	states, err := run(ctx, clickhouseTarget{client: client, dryRun: dryRun}, migrations, dryRun)
	if err != nil {
		return states, fmt.Errorf("clickhouse: %w", err)
	}
	return states, nil
}

// createDatabase connects to the database that always exists to make ours. Its name is validated as
// an identifier.
func createDatabase(ctx context.Context, cfg clickhouse.Config) error {
	database := cfg.Database
	cfg.Database = "default"
	client := clickhouse.New(cfg, prometheus.NewRegistry())
	defer client.Close()
	return client.Write(ctx, clickhouse.Query{
		Name:  "migrate",
		Query: ch.Query{Body: "CREATE DATABASE IF NOT EXISTS " + database},
	})
}

type clickhouseTarget struct {
	client *clickhouse.Client
	dryRun bool
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
	version String, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree ORDER BY version`

func (t clickhouseTarget) applied(ctx context.Context) (map[string]string, error) {
	if t.dryRun {
		if exists, err := t.exists(ctx); err != nil || !exists {
			return map[string]string{}, err
		}
	} else if err := t.exec(ctx, migrationsTable); err != nil {
		return nil, err
	}
	var version, checksum proto.ColStr
	applied := map[string]string{}
	err := t.client.Read(ctx, clickhouse.Query{Name: "migrations", Query: ch.Query{
		Body:   "SELECT version, checksum FROM schema_migrations FINAL",
		Result: proto.Results{{Name: "version", Data: &version}, {Name: "checksum", Data: &checksum}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range version.Rows() {
				applied[version.Row(i)] = checksum.Row(i)
			}
			return nil
		},
	}})
	return applied, err
}

func (t clickhouseTarget) exists(ctx context.Context) (bool, error) {
	var found proto.ColUInt64
	err := t.client.Read(ctx, clickhouse.Query{Name: "migrations", Query: ch.Query{
		Body:   "SELECT count() AS found FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'",
		Result: proto.Results{{Name: "found", Data: &found}},
	}})
	if exception, ok := clickhouse.AsException(err); ok && exception.Code == proto.ErrUnknownDatabase {
		return false, nil
	}
	return err == nil && found.Row(0) > 0, err
}

func (t clickhouseTarget) apply(ctx context.Context, m Migration) error {
	for _, statement := range m.Statements {
		if err := t.exec(ctx, statement); err != nil {
			return err
		}
	}
	var version, name, checksum proto.ColStr
	version.Append(m.Version)
	name.Append(m.Name)
	checksum.Append(m.Checksum)
	return t.client.Write(ctx, clickhouse.Query{Name: "migrate", Query: ch.Query{
		Body: "INSERT INTO schema_migrations (version, name, checksum) VALUES",
		Input: proto.Input{
			{Name: "version", Data: &version},
			{Name: "name", Data: &name},
			{Name: "checksum", Data: &checksum},
		},
	}})
}

func (t clickhouseTarget) exec(ctx context.Context, statement string) error {
	return t.client.Write(ctx, clickhouse.Query{Name: "migrate", Query: ch.Query{Body: statement}})
}
