package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Stores are what is backed up and restored.
type Stores struct {
	ClickHouse *clickhouse.Client
	Postgres   *pgx.Conn
	// Schemas are the migrations that each has; all that this version knows.
	ClickHouseSchema, PostgresSchema []string
	Feedrank                         string // this version
	Clock                            core.Clock
}

// Make makes a backup: what ClickHouse has goes where to says (file, disk:NAME or s3:COLLECTION), the rest into dir,
// which must not be there yet.
func Make(ctx context.Context, s Stores, dir, to string, progress Progress) (_ *Manifest, err error) {
	place, err := parse(to)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("want a new folder: %w", err)
	}
	now := s.Clock.Now().UTC()
	m := &Manifest{
		Format: format, Feedrank: s.Feedrank, Begun: now, Postgres: Postgres{Schema: s.PostgresSchema},
		ClickHouse: ClickHouse{
			Database: s.ClickHouse.Database(), To: to, Name: "feedrank-" + now.Format("20060102T150405.000Z"),
			Schema: s.ClickHouseSchema, Tables: map[string]Table{},
		},
	}
	if err := m.copyOut(ctx, s.Postgres, dir, progress); err != nil {
		return nil, err
	}
	ours := server{s.ClickHouse}
	defer func() { err = errors.Join(err, ours.dropClones(context.WithoutCancel(ctx))) }()
	if err := ours.clone(ctx, progress); err != nil {
		return nil, err
	}
	for _, t := range inMemory {
		err := m.into(dir, rowsOf(t.table), func(out io.Writer) error {
			return ours.rows(ctx, t.table, func(line string) error {
				_, err := io.WriteString(out, line+"\n")
				return err
			})
		})
		if err != nil {
			return nil, err
		}
	}
	for i, table := range cloned {
		progress("counting", int64(i), int64(len(cloned)))
		if m.ClickHouse.Tables[table], err = ours.look(ctx, clonePrefix+table); err != nil {
			return nil, err
		}
	}
	if err := ours.back(ctx, place, m.ClickHouse.Name, progress); err != nil {
		return nil, fmt.Errorf("ClickHouse's backup: %w", err)
	}
	m.Finished = s.Clock.Now().UTC()
	return m, m.write(dir)
}

// Part is what of a backup is restored.
type Part string

// The parts.
const (
	All            Part = ""
	ClickHouseOnly Part = "clickhouse"
	PostgresOnly   Part = "postgres"
)

// ErrNotEmpty says that a target has rows.
var ErrNotEmpty = errors.New("has rows already: restore into one that `feedrank migrate` has just made, while no " +
	"role of feedrank runs")

// Restore puts a backup back into stores that have its schema and no rows. from is where ClickHouse finds its part;
// empty: where it was put.
func Restore(ctx context.Context, s Stores, dir, from string, part Part, progress Progress) (*Manifest, error) {
	m, err := Read(dir)
	if err != nil {
		return nil, err
	}
	if from == "" {
		from = m.ClickHouse.To
	}
	place, err := parse(from)
	if err != nil {
		return nil, err
	}
	if err := s.suits(ctx, m, part); err != nil {
		return nil, err
	}
	if part != ClickHouseOnly {
		if err := m.copyIn(ctx, s.Postgres, dir, progress); err != nil {
			return nil, err
		}
	}
	if part == PostgresOnly {
		return m, nil
	}
	return m, m.restoreClickHouse(ctx, server{s.ClickHouse}, dir, place, progress)
}

// suits refuses a target that a backup cannot be restored into.
func (s Stores) suits(ctx context.Context, m *Manifest, part Part) error {
	if part != PostgresOnly {
		if !slices.Equal(m.ClickHouse.Schema, s.ClickHouseSchema) {
			return otherSchema("ClickHouse", m.ClickHouse.Schema, s.ClickHouseSchema, m.Feedrank)
		}
		full, err := server{s.ClickHouse}.holding(ctx)
		if err != nil {
			return fmt.Errorf("is ClickHouse empty? %w", err)
		}
		if len(full) > 0 {
			return fmt.Errorf("ClickHouse %w (%s)", ErrNotEmpty, strings.Join(full, ", "))
		}
	}
	if part != ClickHouseOnly {
		if !slices.Equal(m.Postgres.Schema, s.PostgresSchema) {
			return otherSchema("PostgreSQL", m.Postgres.Schema, s.PostgresSchema, m.Feedrank)
		}
		full, err := filled(ctx, s.Postgres)
		if err != nil {
			return fmt.Errorf("is PostgreSQL empty? %w", err)
		}
		if len(full) > 0 {
			return fmt.Errorf("PostgreSQL's schema feedrank %w (%s); --only clickhouse leaves it as it is",
				ErrNotEmpty, strings.Join(full, ", "))
		}
	}
	return nil
}

// ErrOtherSchema says that a backup is of another version's tables.
var ErrOtherSchema = errors.New("the backup has other tables than this version")

func otherSchema(where string, had, has []string, version string) error {
	return fmt.Errorf("%w: of %s it has %d migrations, and here are %d: migrate and restore with the version %s, "+
		"then upgrade", ErrOtherSchema, where, len(had), len(has), version)
}

func (m *Manifest) restoreClickHouse(ctx context.Context, ours server, dir string, from destination,
	progress Progress,
) (err error) {
	for _, t := range inMemory { // first of all: nothing of who is erased is taken any more
		lines, err := linesOf(dir, rowsOf(t.table))
		if err != nil {
			return err
		}
		if err := ours.put(ctx, t.table, t.columns, lines); err != nil {
			return err
		}
	}
	for _, table := range cloned {
		if err := ours.merges(ctx, "STOP", table); err != nil {
			return err
		}
	}
	defer func() {
		for _, table := range cloned {
			err = errors.Join(err, ours.merges(context.WithoutCancel(ctx), "START", table))
		}
	}()
	if err := ours.restore(ctx, m.ClickHouse, from, progress); err != nil {
		return fmt.Errorf("ClickHouse's restore, which must begin anew in an empty database: %w", err)
	}
	for i, table := range cloned {
		progress("comparing", int64(i), int64(len(cloned)))
		found, err := ours.look(ctx, table)
		if err != nil {
			return err
		}
		if want := m.ClickHouse.Tables[table]; found != want {
			return fmt.Errorf("%w: %s has %d rows and had %d, or other ones; remove the database", ErrDamaged, table,
				found.Rows, want.Rows)
		}
	}
	return nil
}

func rowsOf(table string) string { return "clickhouse." + table + ".jsonl" }

func linesOf(dir, name string) (lines []string, err error) {
	err = reading(dir, name, func(file io.Reader) error {
		scan := bufio.NewScanner(file)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			lines = append(lines, scan.Text())
		}
		return scan.Err()
	})
	return lines, err
}
