package schema

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
	"github.com/feedrank/feedrank/sql"
)

var numberTypes = []uint32{
	pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float4OID,
	pgtype.Float8OID,
}

// timeMismatches finds out whether the times of a kind are read as what they are: by the column's type, by the zone
// of the database, and by what is read from a row.
func (t shape) timeMismatches(ctx context.Context, db *pgxpool.Pool, s *mapping.Source, now time.Time) ([]error,
	error,
) {
	column, unit, zone := s.Time()
	oid, ok := t.oids[column]
	local := oid == pgtype.TimestampOID || oid == pgtype.DateOID
	number := slices.Contains(numberTypes, oid)
	switch {
	case !ok:
		return nil, nil
	case zone != "" && !local:
		return []error{mismatch("cdc.tables.%s.time_zone: %s of %s is %s, which tells its instant by itself: leave it empty", s.Kind, column, s.Table, t.types[column])}, nil
	case number && unit == "":
		return []error{mismatch("cdc.tables.%s.time_unit: %s of %s is a number (%s): say what it counts, us, ms, s or days", s.Kind, column, s.Table, t.types[column])}, nil
	case oid == pgtype.TimestampOID && zone == "":
		var found string
		err := db.QueryRow(ctx, sql.Postgres("cdc_time_zone")).Scan(&found)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("time zone of the database: %w", err)
		}
		if found != "" && !slices.Contains([]string{"utc", "gmt", "etc/utc"}, strings.ToLower(found)) {
			return []error{mismatch("cdc.tables.%s.time_zone: %s of %s has no zone, and sessions of its database are in %s: set it to that, or to UTC", s.Kind, column, s.Table, found)}, nil
		}
	}
	if !number && !local {
		return nil, nil
	}
	return t.sampleTime(ctx, db, s, column, now)
}

// sampleTime reads the last row by key and tells if its time cannot be meant.
func (t shape) sampleTime(ctx context.Context, db *pgxpool.Pool, s *mapping.Source, column string,
	now time.Time,
) (found []error, err error) {
	a := AppTable{pool: db, source: s, shape: t}
	var order []string
	for _, c := range t.key {
		order = append(order, pgx.Identifier{c}.Sanitize()+" DESC")
	}
	if len(order) == 0 {
		return nil, nil
	}
	err = pgx.BeginTxFunc(ctx, db, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		_, err := a.read(ctx, tx, " ORDER BY "+strings.Join(order, ", ")+" LIMIT 1", nil,
			func(key string, row AppRow) error {
				const slack = 30 * time.Minute // of clocks
				if at := row.CreatedAt; !at.IsZero() && (at.After(now.Add(slack)) || at.Year() < 2000) {
					found = append(found,
						mismatch("cdc.tables.%s.columns.created_at: %s of row %s of %s is %s, which is read as %s: is time_unit or time_zone missing?",
							s.Kind, column, key, s.Table, row.Fields[column], at.Format(time.RFC3339)))
				}
				return nil
			})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("a row of %s: %w", s.Table, err)
	}
	return found, nil
}
