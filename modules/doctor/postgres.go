package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// PostgreSQL is the app's database, as the deployment uses it.
type PostgreSQL struct {
	Pool  *pgxpool.Pool
	Clock core.Clock
	Slot  string // of the built-in source; empty: something else reads the log
	Limits
}

const (
	postgresArea = "postgres"
	oldestServer = 140000 // as server_version_num has it
)

// Checks are what is looked at.
func (p PostgreSQL) Checks() []Check {
	return []Check{
		{postgresArea, "version, clock and open transactions", p.server},
		{postgresArea, "replication slot and its log", p.slot},
	}
}

func (p PostgreSQL) server(ctx context.Context) (found []Finding, err error) {
	var version int
	var name string
	var now time.Time
	var oldest float64
	before := p.Clock.Now()
	if err := p.Pool.QueryRow(ctx, sql.Postgres("doctor_server")).Scan(&version, &name, &now, &oldest); err != nil {
		return nil, err
	}
	found = clockFindings(postgresArea, before, now, p.Clock.Now())
	if version < oldestServer {
		found = append(found, Finding{
			Broken, postgresArea, "is version " + name,
			"update to 14 or newer: older ones cannot publish what the source reads",
		})
	}
	if open := time.Duration(oldest * float64(time.Second)); open > p.LongOpen {
		found = append(found, Finding{
			Risk, postgresArea, fmt.Sprintf("a transaction has been open for %s", open.Round(time.Second)),
			"end it (pg_stat_activity, xact_start): a snapshot waits for it, and the log is kept since",
		})
	}
	return found, nil
}

func (p PostgreSQL) slot(ctx context.Context) ([]Finding, error) {
	if p.Slot == "" {
		return nil, nil
	}
	var active bool
	var status, restart, confirmed string
	var retained int64
	err := p.Pool.QueryRow(ctx, sql.Postgres("cdc_slot"), p.Slot).Scan(&active, &status, &restart, &confirmed,
		&retained)
	if errors.Is(err, pgx.ErrNoRows) {
		return []Finding{{
			Broken, postgresArea, "there is no replication slot " + p.Slot,
			"run the role cdc-source, which makes it; if it was there before, see cdc.source.on_lost_slot",
		}}, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case status == "lost" || status == "unreserved":
		return []Finding{{
			Broken, postgresArea,
			fmt.Sprintf("replication slot %s is %s: the server has dropped log that was not read, or is about to",
				p.Slot, status),
			"raise max_slot_wal_keep_size; what was lost is copied anew with cdc.source.on_lost_slot: resync",
		}}, nil
	case !active:
		return []Finding{{
			Broken, postgresArea, fmt.Sprintf("nobody reads replication slot %s, which holds back %s of log", p.Slot,
				size(retained)),
			"run the role cdc-source and look at its log: changes wait, and the disk fills",
		}}, nil
	case retained > p.Retained:
		return []Finding{{
			Risk, postgresArea, fmt.Sprintf("replication slot %s holds back %s of log", p.Slot, size(retained)),
			"look at the source's log and at Kafka: it is behind, and the disk fills",
		}}, nil
	}
	return nil, nil
}

// size writes bytes for people.
func size(n int64) string {
	for i, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 10<<(10*(i+1)) || unit == "GiB" {
			return fmt.Sprintf("%d %s", n>>(10*i), unit)
		}
	}
	return ""
}
