package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// The statements of this file are not in sql/: each is of one table, or of a list of them.

// clonePrefix is what the names of clones begin with. Those that a backup left behind are removed by the next.
const clonePrefix = "backup_"

// askAgain is the pause between two looks at what the server does.
const askAgain = 100 * time.Millisecond

// Progress is told how far a step is.
type Progress func(step string, done, total int64)

// server is ClickHouse.
type server struct{ db *clickhouse.Client }

// table is one of ours in a statement.
func (s server) table(name string) string { return "`" + s.db.Database() + "`.`" + name + "`" }

func (s server) write(ctx context.Context, name, statement string, params ...clickhouse.Parameter) error {
	return s.db.Write(ctx, clickhouse.Query{
		Name: name, Query: ch.Query{Body: statement, Parameters: params},
	})
}

// clone clones the tables in their order, and stops the merges of the clones, so that they stay as they are.
func (s server) clone(ctx context.Context, progress Progress) error {
	if err := s.dropClones(ctx); err != nil {
		return err
	}
	for i, name := range cloned {
		progress("cloning", int64(i), int64(len(cloned)))
		clone := s.table(clonePrefix + name)
		for _, statement := range []string{
			"CREATE TABLE " + clone + " CLONE AS " + s.table(name), "SYSTEM STOP MERGES " + clone,
		} {
			if err := s.write(ctx, "backup_clone", statement); err != nil {
				return fmt.Errorf("clone %s: %w", name, err)
			}
		}
	}
	return nil
}

func (s server) dropClones(ctx context.Context) error {
	for _, name := range cloned {
		if err := s.write(ctx, "backup_drop", "DROP TABLE IF EXISTS "+s.table(clonePrefix+name)+" SYNC"); err != nil {
			return fmt.Errorf("remove the clone of %s: %w", name, err)
		}
	}
	return nil
}

// look counts and hashes a table's rows.
func (s server) look(ctx context.Context, name string) (Table, error) {
	var rows, hash proto.ColUInt64
	err := s.db.Read(ctx, clickhouse.Query{Name: "backup_look", Query: ch.Query{
		Body:     "SELECT count() AS n, sum(cityHash64(*)) AS hash FROM " + s.table(name),
		Settings: clickhouse.Job,
		Result:   proto.Results{{Name: "n", Data: &rows}, {Name: "hash", Data: &hash}},
	}})
	if err != nil || rows.Rows() != 1 {
		return Table{}, fmt.Errorf("count %s: %w", name, err)
	}
	return Table{Rows: rows.Row(0), Hash: hash.Row(0)}, nil
}

// back has the clones backed up, under the names of their tables.
func (s server) back(ctx context.Context, to destination, name string, progress Progress) error {
	var all []string
	for _, table := range cloned {
		all = append(all, "TABLE "+s.table(clonePrefix+table)+" AS "+s.table(table))
	}
	return s.run(ctx, "BACKUP "+strings.Join(all, ", ")+" TO "+to.at(name)+" ASYNC", "clickhouse", progress)
}

// restore has them put back, from a database that may have had another name.
func (s server) restore(ctx context.Context, m ClickHouse, from destination, progress Progress) error {
	var all []string
	for _, table := range cloned {
		all = append(all, "TABLE `"+m.Database+"`.`"+table+"` AS "+s.table(table))
	}
	return s.run(ctx, "RESTORE "+strings.Join(all, ", ")+" FROM "+from.at(m.Name)+
		" SETTINGS allow_different_table_def = 1 ASYNC", "clickhouse", progress)
}

// run begins a backup or a restore and waits for its end.
func (s server) run(ctx context.Context, statement, step string, progress Progress) error {
	var id, state proto.ColStr
	var states proto.ColEnum
	err := s.db.Write(ctx, clickhouse.Query{Name: "backup_begin", Query: ch.Query{
		Body: statement, Result: proto.Results{{Name: "id", Data: &id}, {Name: "status", Data: &states}},
	}})
	if err != nil {
		return err
	}
	if id.Rows() != 1 {
		return errors.New("ClickHouse did not say under which id it works")
	}
	for {
		var problem proto.ColStr
		var done, total proto.ColUInt64
		state.Reset()
		err := s.db.Read(ctx, clickhouse.Query{Name: "backup_state", Query: ch.Query{
			Body: `SELECT toString(status) AS state, error AS problem, greatest(bytes_read, files_read) AS done,
				greatest(total_size, num_files) AS total FROM system.backups WHERE id = {id:String}`,
			Parameters: clickhouse.Params(map[string]any{"id": id.Row(0)}),
			Result: proto.Results{
				{Name: "state", Data: &state},
				{Name: "problem", Data: &problem},
				{Name: "done", Data: &done},
				{Name: "total", Data: &total},
			},
		}})
		switch {
		case err != nil:
			return err
		case state.Rows() != 1:
			return errors.New("ClickHouse knows nothing of it any more: was it started anew?")
		case problem.Row(0) != "":
			return errors.New(problem.Row(0))
		case strings.HasSuffix(state.Row(0), "_FAILED"), strings.HasSuffix(state.Row(0), "_CANCELLED"):
			return errors.New(state.Row(0))
		case state.Row(0) == "BACKUP_CREATED", state.Row(0) == "RESTORED":
			progress(step, int64(total.Row(0)), int64(total.Row(0)))
			return nil
		}
		progress(step, int64(done.Row(0)), int64(total.Row(0)))
		if err := worker.Pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

// rows gives the rows of a table as JSON, one a line.
func (s server) rows(ctx context.Context, name string, each func(line string) error) error {
	var line proto.ColStr
	return s.db.Read(ctx, clickhouse.Query{Name: "backup_rows", Query: ch.Query{
		Body:   "SELECT formatRowNoNewline('JSONEachRow', *) AS line FROM " + s.table(name),
		Result: proto.Results{{Name: "line", Data: &line}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range line.Rows() {
				if err := each(line.Row(i)); err != nil {
					return err
				}
			}
			return nil
		},
	}})
}

// rowsAtOnce are put back by one statement.
const rowsAtOnce = 1000

// put puts such rows back.
func (s server) put(ctx context.Context, name, columns string, lines []string) error {
	for from := 0; from < len(lines); from += rowsAtOnce {
		some := lines[from:min(from+rowsAtOnce, len(lines))]
		for _, line := range some {
			if !json.Valid([]byte(line)) {
				return fmt.Errorf("%w: a row of %s is no JSON", ErrDamaged, name)
			}
		}
		err := s.write(ctx, "backup_put",
			"INSERT INTO "+s.table(name)+" SELECT * FROM format(JSONEachRow, '"+strings.ReplaceAll(columns, "'", "''")+
				"', {lines:String})",
			clickhouse.Param("lines", strings.Join(some, "\n")))
		if err != nil {
			return fmt.Errorf("put rows into %s: %w", name, err)
		}
	}
	return nil
}

// holding are our tables that have rows.
func (s server) holding(ctx context.Context) (full []string, err error) {
	names := slices.Concat(cloned, passing)
	for _, t := range inMemory {
		names = append(names, t.table)
	}
	for _, name := range names {
		var n proto.ColUInt64
		err := s.db.Read(ctx, clickhouse.Query{Name: "backup_rows", Query: ch.Query{
			Body: "SELECT count() AS n FROM " + s.table(name), Result: proto.Results{{Name: "n", Data: &n}},
		}})
		if err != nil {
			return nil, err
		}
		if n.Rows() != 1 || n.Row(0) > 0 {
			full = append(full, name)
		}
	}
	return full, nil
}

// merges stops or starts those of a table.
func (s server) merges(ctx context.Context, what, name string) error {
	return s.write(ctx, "backup_merges", "SYSTEM "+what+" MERGES "+s.table(name))
}
