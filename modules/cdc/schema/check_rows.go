package schema

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// sampled is how many rows of each end of a table are tried.
const sampled = 100

// sampleMismatches reads some rows as they would be copied, and tells of those that would become dead letters.
func (t shape) sampleMismatches(ctx context.Context, db *pgxpool.Pool, s *mapping.Source) ([]error, error) {
	a := AppTable{pool: db, source: s, shape: t}
	var columns []string
	for _, c := range t.key {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	if len(columns) == 0 {
		return nil, nil
	}
	var all unmappable
	err := pgx.BeginTxFunc(ctx, db, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, order := range []string{"", " DESC"} {
			where := " ORDER BY " + strings.Join(columns, order+", ") + order + fmt.Sprintf(" LIMIT %d", sampled)
			bad, err := a.read(ctx, tx, where, nil, func(string, AppRow) error { return nil })
			if err != nil {
				return err
			}
			all.rows, all.read = all.rows+bad.rows, all.read+bad.read
			if all.why == nil {
				all.why = bad.why
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", s.Table, err)
	}
	if all.rows == 0 {
		return nil, nil
	}
	return []error{mismatch("cdc.tables.%s: %d of %d rows of %s that were tried would become dead letters, the first because of %v",
		s.Kind, all.rows, all.read, s.Table, all.why)}, nil
}
