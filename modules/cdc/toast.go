package cdc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
)

// originals reads single rows from the app's tables, when a change did not bring a large value and
// we have none either. What it finds may be younger than the change: then later changes say so too.
type originals struct{ pool *pgxpool.Pool }

// text reads the large value of a row by its key. A row that is gone has none: its delete follows.
func (o originals) text(ctx context.Context, s *mapping.Source, key envelope.Row) (string, bool, error) {
	columns := s.NeededColumns()
	row, ok, err := o.row(ctx, s.Table, key, columns)
	if err != nil || !ok {
		return "", false, err
	}
	alive, err := s.Alive(key, row)
	return alive.Text, err == nil, err
}

func (o originals) row(ctx context.Context, table string, key envelope.Row, columns []string) (envelope.Row, bool, error) {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	var where []string
	args := []any{pgx.QueryExecModeCacheDescribe, pgx.QueryResultFormats{pgx.TextFormatCode}}
	for i, c := range key.Columns() {
		text, err := key.Text(c)
		if err != nil {
			return envelope.Row{}, false, err
		}
		where = append(where, fmt.Sprintf("%s = $%d", pgx.Identifier{c}.Sanitize(), i+1))
		args = append(args, text)
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s", strings.Join(quoted, ", "),
		pgx.Identifier(strings.SplitN(table, ".", 2)).Sanitize(), strings.Join(where, " AND "))
	rows, err := o.pool.Query(ctx, query, args...)
	if err != nil {
		return envelope.Row{}, false, fmt.Errorf("postgres read %s: %w", table, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgvalue.Row)
	if errors.Is(err, pgx.ErrNoRows) {
		return envelope.Row{}, false, nil
	}
	if err != nil {
		return envelope.Row{}, false, fmt.Errorf("postgres read %s: %w", table, err)
	}
	return found, true, nil
}
