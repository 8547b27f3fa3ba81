package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// CheckTables compares the mapping with the live database and reports every problem, each with its key
// and what it is probably meant to be. An error that is no *Mismatch means that the database could not
// be asked.
func CheckTables(ctx context.Context, db *pgxpool.Pool, c mapping.Config, now time.Time) error {
	m, err := mapping.New(c, "")
	if err != nil {
		return err
	}
	found, err := compareTables(ctx, db, m, now)
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

// CheckKinds is CheckTables by kind, for who can leave a kind out: that the server refuses to read one table is wrong
// with that kind alone.
func CheckKinds(
	ctx context.Context, db *pgxpool.Pool, c mapping.Config, now time.Time,
) (map[mapping.Kind]error, error) {
	m, err := mapping.New(c, "")
	if err != nil {
		return nil, err
	}
	found, err := compareTables(ctx, db, m, now)
	wrong := map[mapping.Kind]error{}
	for s, mismatches := range found {
		if len(mismatches) > 0 {
			wrong[s.Kind] = errors.Join(mismatches...)
		}
	}
	return wrong, err
}

// refused tells whether the server is there and said no.
func refused(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && !postgres.IsConnectionError(err)
}

// compareTables finds the mismatches of each kind: by reading the tables, too, unless the time of now is zero.
func compareTables(
	ctx context.Context, db *pgxpool.Pool, m *mapping.Mapping, now time.Time,
) (map[*mapping.Source][]error, error) {
	identities, names, err := listTables(ctx, db)
	if err != nil {
		return nil, err
	}
	found := map[*mapping.Source][]error{}
	var keys []keyed
	for _, k := range mapping.Kinds() {
		s := m.Of(k)
		if s == nil {
			continue
		}
		types, err := readKeyTypes(ctx, db, s)
		if err != nil {
			return nil, err
		}
		for _, r := range s.Refers() {
			if t, ok := types[r.Column]; ok {
				keys = append(keys, keyed{source: s, Refers: r, keyType: t})
			}
		}
		found[s], err = compareTable(ctx, db, s, types, identities, names, now)
		switch {
		case refused(err):
			found[s] = append(found[s], unreadable(s, err))
		case err != nil:
			return nil, err
		}
	}
	for s, mismatches := range misfits(keys) {
		found[s] = append(found[s], mismatches...)
	}
	return found, nil
}

// unreadable says that the server does not let us read a table, and what to do.
func unreadable(s *mapping.Source, err error) error {
	advice := ""
	var failure *pgconn.PgError
	switch {
	case !errors.As(err, &failure) || failure.Code != insufficientPrivilege:
	case strings.Contains(failure.Message, "row-level security"):
		advice = ": ALTER ROLE … BYPASSRLS, or name a role that may see every row"
	default:
		schema, _ := mapping.SplitTable(s.Table)
		advice = fmt.Sprintf(": GRANT USAGE ON SCHEMA %s, GRANT SELECT ON %s", schema, s.Table)
	}
	return mismatch("cdc.tables.%s.table: %s cannot be read: %v%s", s.Kind, s.Table, postgres.Explained(err), advice)
}

// insufficientPrivilege is PostgreSQL's code for what our role may not do.
const insufficientPrivilege = "42501"

// compareTable finds the mismatches of one kind, among the tables that there are.
func compareTable(ctx context.Context, db *pgxpool.Pool, s *mapping.Source, types map[string]keyType,
	identities map[string]string, names []string, now time.Time,
) ([]error, error) {
	rows := !now.IsZero()
	identity, ok := identities[s.Table]
	if !ok {
		return []error{mismatch("cdc.tables.%s.table: there is no table %s%s", s.Kind, s.Table,
			nearest(s.Table, names))}, nil
	}
	t, err := readShape(ctx, db, s.Table)
	if err != nil {
		return nil, err
	}
	t.identity = identity
	found := append(t.mismatches(s), keyMismatches(s, types)...)
	if rows && len(found) == 0 {
		if found, err = t.timeMismatches(ctx, db, s, now); err != nil {
			return nil, err
		}
	}
	if rows && len(found) == 0 {
		if found, err = t.sampleMismatches(ctx, db, s); err != nil {
			return nil, err
		}
	}
	if id := s.IDColumn(); rows && id != "" && slices.Contains(t.key, id) {
		why, err := source.NotUnique(ctx, db, s.Table, id, t.key)
		if err != nil {
			return nil, err
		}
		if why != "" {
			found = append(found, mismatch("cdc.tables.%s.columns.id: %s", s.Kind, why))
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
