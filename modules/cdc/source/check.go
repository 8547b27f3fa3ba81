package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/sql"
)

// Check tells what would keep the source from reading, each with what to do. It changes nothing.
func Check(ctx context.Context, db catalog, cfg Config, tables []Table) (problems []string, err error) {
	server, err := checkServer(ctx, db, cfg)
	if err != nil {
		return nil, err
	}
	found, err := look(ctx, db, cfg.Publication, tables)
	if err != nil {
		return nil, err
	}
	problems = server
	var good []*table
	for _, w := range tables {
		t, problem := found.tables[w.Name], found.problems[w.Name]
		if t == nil {
			continue // the comparison of the mapping says so
		}
		if problem != "" {
			problems = append(problems, fmt.Sprintf("table %s %s", w.Name, problem))
		}
		if t.hidden != "" {
			problems = append(problems, fmt.Sprintf("table %s %s", w.Name, t.hidden))
		}
		if problem == "" {
			good = append(good, t)
		}
	}
	return append(problems, found.mayNot(good, cfg.PublishColumns == "mapped")...), nil
}

// checkServer looks at the server and our role. It only asks.
func checkServer(ctx context.Context, db catalog, cfg Config) (problems []string, err error) {
	var level string
	var replication, exists, orphaned, room bool
	if err := db.QueryRow(ctx, sql.Postgres("cdc_check_server"), cfg.Slot, cfg.Publication).Scan(&level, &replication,
		&exists, &orphaned, &room); err != nil {
		return nil, fmt.Errorf("server of the app's database: %w", err)
	}
	if level != "logical" {
		problems = append(problems, fmt.Sprintf("wal_level is %s: %v", level, errWALLevel))
	}
	if !replication {
		problems = append(problems,
			"our role may not read the log: ALTER ROLE … REPLICATION (or your provider's equivalent)")
	}
	if !exists && !room {
		problems = append(problems,
			"no replication slot or WAL sender is free: raise max_replication_slots and max_wal_senders, or drop a slot that nobody reads")
	}
	if orphaned {
		problems = append(problems,
			fmt.Sprintf("publication %s is gone, though slot %s was made with it: what is changed meanwhile is lost; see cdc.source.on_lost_slot", cfg.Publication, cfg.Slot))
	}
	return problems, nil
}

// mayNot tells which tables are not published as they should be and that we may not publish, with the statement for the
// owner.
func (v *survey) mayNot(tables []*table, list bool) (problems []string) {
	p := v.publication
	if !p.exists {
		var foreign []string
		for _, t := range tables {
			if !t.relation.Own {
				foreign = append(foreign, t.fullName())
			}
		}
		if len(foreign) > 0 || (!p.mayCreate && len(tables) > 0) {
			problems = append(problems,
				fmt.Sprintf("there is no publication %s, and our role may not make it (it needs CREATE on the database, and to own %s); have the owner run: %s",
					p.name, strings.Join(tableNames(tables), ", "), p.create(tables, list)))
		}
		return problems
	}
	for _, t := range tables {
		wrong := !p.carries(t) || p.refusesUpdates(t)
		if wrong && (!p.Ours || !t.relation.Own) {
			problems = append(problems,
				fmt.Sprintf("publication %s does not carry table %s as it should, and our role may not change that; have the owner run: %s",
					p.name, t.fullName(), strings.Join(p.put(t, list), "; ")))
		}
	}
	return problems
}

var _ catalog = (*pgx.Conn)(nil)
