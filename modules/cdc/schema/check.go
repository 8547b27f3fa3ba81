package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
)

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
func compareTables(ctx context.Context, db *pgxpool.Pool, m *mapping.Mapping, rows bool) (map[*mapping.Source][]error,
	error,
) {
	identities, names, err := listTables(ctx, db)
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
			found[s] = []error{mismatch("cdc.tables.%s.table: there is no table %s%s", k, s.Table,
				nearest(s.Table, names))}
			continue
		}
		t, err := readShape(ctx, db, s.Table)
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

func (t shape) mismatches(s *mapping.Source) []error {
	var found []error
	for key, column := range s.ColumnKeys() {
		if !slices.Contains(t.columns, column) {
			found = append(found, mismatch("cdc.tables.%s.%s: table %s has no column %s%s", s.Kind, key, s.Table,
				column, nearest(column, t.columns)))
		}
	}
	slices.SortFunc(found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(t.key) == 0 || t.identity == "n" {
		found = append(found,
			mismatch("cdc.tables.%s.table: %s has no primary key, or its replica identity is nothing: its deletes cannot be told apart", s.Kind, s.Table))
	} else if id := s.IDColumn(); id != "" && !slices.Contains(t.key, id) {
		found = append(found,
			mismatch("cdc.tables.%s.columns.id: %s is not in the primary key (%v) of %s, so a delete would not tell it",
				s.Kind, id, t.key, s.Table))
	}
	return found
}
