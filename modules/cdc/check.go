package cdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/sql"
)

// liveTable is a table of the app as its database describes it.
type liveTable struct {
	identity string // replica identity: d, n, f or i
	columns  []string
	key      []string          // in the order of the primary key
	oids     map[string]uint32 // of the columns
	types    map[string]string // of the columns, as SQL writes them
	millis   map[string]bool   // times that connectors count in milliseconds
}

// keyedAs is the table with the key under which rows of its kinds are kept.
func (t liveTable) keyedAs(s *mapping.Source) liveTable {
	t.key = s.Key(t.key)
	return t
}

func (t liveTable) sortedKey() []string { return slices.Sorted(slices.Values(t.key)) }

// CheckTables compares the mapping with the live database and reports every problem, each with its key
// and what it is probably meant to be. An error that is no *Mismatch means that the database could not
// be asked.
func CheckTables(ctx context.Context, db *pgxpool.Pool, c mapping.Config) error {
	m, err := mapping.New(c, "")
	if err != nil {
		return err
	}
	found, err := compareTables(ctx, db, m, true)
	if err != nil {
		return err
	}
	var problems []error
	for _, k := range mapping.Kinds() {
		if s := m.Of(k); s != nil {
			problems = append(problems, found[s]...)
		}
	}
	return errors.Join(problems...)
}

// compareTables finds the mismatches of each kind; rows: by reading the tables, too.
func compareTables(ctx context.Context, db *pgxpool.Pool, m *mapping.Mapping, rows bool) (map[*mapping.Source][]error, error) {
	identities, names, err := liveTables(ctx, db)
	if err != nil {
		return nil, err
	}
	found := map[*mapping.Source][]error{}
	for _, k := range mapping.Kinds() {
		s := m.Of(k)
		if s == nil {
			continue
		}
		identity, ok := identities[s.Table]
		if !ok {
			found[s] = []error{mismatch("cdc.tables.%s.table: there is no table %s%s", k, s.Table, nearest(s.Table, names))}
			continue
		}
		t, err := liveColumns(ctx, db, s.Table)
		if err != nil {
			return nil, err
		}
		t.identity = identity
		found[s] = t.mismatches(s)
		if rows && len(found[s]) == 0 {
			if found[s], err = t.timeMismatches(ctx, db, s, time.Now()); err != nil {
				return nil, err
			}
		}
		if id := s.IDColumn(); rows && id != "" && slices.Contains(t.key, id) {
			why, err := source.NotUnique(ctx, db, s.Table, id, t.key)
			if err != nil {
				return nil, err
			}
			if why != "" {
				found[s] = append(found[s], mismatch("cdc.tables.%s.columns.id: %s", k, why))
			}
		}
	}
	return found, nil
}

// Mismatch is where the mapping does not fit the database.
type Mismatch struct{ text string }

// Error says which key is wrong and what would be right.
func (m *Mismatch) Error() string { return m.text }

func mismatch(format string, args ...any) error { return &Mismatch{text: fmt.Sprintf(format, args...)} }

func (t liveTable) mismatches(s *mapping.Source) []error {
	var found []error
	for key, column := range s.ColumnKeys() {
		if !slices.Contains(t.columns, column) {
			found = append(found, mismatch("cdc.tables.%s.%s: table %s has no column %s%s", s.Kind, key, s.Table, column, nearest(column, t.columns)))
		}
	}
	slices.SortFunc(found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(t.key) == 0 || t.identity == "n" {
		found = append(found, mismatch("cdc.tables.%s.table: %s has no primary key, or its replica identity is nothing: its deletes cannot be told apart", s.Kind, s.Table))
	} else if id := s.IDColumn(); id != "" && !slices.Contains(t.key, id) {
		found = append(found, mismatch("cdc.tables.%s.columns.id: %s is not in the primary key (%v) of %s, so a delete would not tell it", s.Kind, id, t.key, s.Table))
	}
	return found
}

func liveTables(ctx context.Context, db *pgxpool.Pool) (map[string]string, []string, error) {
	rows, err := db.Query(ctx, sql.Postgres("cdc_tables"))
	if err != nil {
		return nil, nil, fmt.Errorf("tables of the app: %w", err)
	}
	identities := map[string]string{}
	var names []string
	var name, identity string
	_, err = pgx.ForEachRow(rows, []any{&name, &identity}, func() error {
		identities[name] = identity
		names = append(names, name)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("tables of the app: %w", err)
	}
	return identities, names, nil
}

func liveColumns(ctx context.Context, db *pgxpool.Pool, table string) (liveTable, error) {
	schema, name := mapping.SplitTable(table)
	rows, err := db.Query(ctx, sql.Postgres("cdc_columns"), schema, name)
	if err != nil {
		return liveTable{}, fmt.Errorf("columns of %s: %w", table, err)
	}
	var (
		t        = liveTable{oids: map[string]uint32{}, types: map[string]string{}, millis: map[string]bool{}}
		keyed    = map[int]string{}
		column   string
		oid      uint32
		typ      string
		position int
		modifier int32
	)
	_, err = pgx.ForEachRow(rows, []any{&column, &oid, &typ, &position, &modifier}, func() error {
		t.columns = append(t.columns, column)
		t.oids[column], t.types[column] = oid, typ
		t.millis[column] = (oid == pgtype.TimestampOID || oid == pgtype.TimeOID) && modifier >= 0 && modifier <= 3
		if position > 0 {
			keyed[position] = column
		}
		return nil
	})
	if err != nil {
		return liveTable{}, fmt.Errorf("columns of %s: %w", table, err)
	}
	for n := 1; n <= len(keyed); n++ {
		t.key = append(t.key, keyed[n])
	}
	return t, nil
}

// nearest suggests the name that differs least, if one is near enough to be meant.
func nearest(name string, among []string) string {
	best, least := "", len(name)/2+1
	for _, candidate := range among {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// distance is Levenshtein's: how many letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
