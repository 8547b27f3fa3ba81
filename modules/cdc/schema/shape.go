package schema

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/sql"
)

// shape is what its database says of a table of the app.
type shape struct {
	identity string // replica identity: d, n, f or i
	columns  []string
	key      []string          // in the order of the primary key
	oids     map[string]uint32 // of the columns
	types    map[string]string // of the columns, as SQL writes them
	required map[string]bool   // columns that are never null
	millis   map[string]bool   // times that connectors count in milliseconds
}

// keyedAs is the shape with the key under which rows of its kinds are kept.
func (t shape) keyedAs(s *mapping.Source) shape {
	t.key = s.Key(t.key)
	return t
}

func (t shape) sortedKey() []string { return slices.Sorted(slices.Values(t.key)) }

// listTables are the tables that there are, by name with their replica identity.
func listTables(ctx context.Context, db *pgxpool.Pool) (map[string]string, []string, error) {
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

// readShape asks for the columns and the key of a table.
func readShape(ctx context.Context, db *pgxpool.Pool, table string) (shape, error) {
	schema, name := mapping.SplitTable(table)
	rows, err := db.Query(ctx, sql.Postgres("cdc_columns"), schema, name)
	if err != nil {
		return shape{}, fmt.Errorf("columns of %s: %w", table, err)
	}
	var (
		t = shape{
			oids: map[string]uint32{}, types: map[string]string{}, required: map[string]bool{},
			millis: map[string]bool{},
		}
		keyed    = map[int]string{}
		column   string
		oid      uint32
		typ      string
		position int
		modifier int32
		required bool
	)
	_, err = pgx.ForEachRow(rows, []any{&column, &oid, &typ, &position, &modifier, &required}, func() error {
		t.columns = append(t.columns, column)
		t.oids[column], t.types[column], t.required[column] = oid, typ, required
		t.millis[column] = (oid == pgtype.TimestampOID || oid == pgtype.TimeOID) && modifier >= 0 && modifier <= 3
		if position > 0 {
			keyed[position] = column
		}
		return nil
	})
	if err != nil {
		return shape{}, fmt.Errorf("columns of %s: %w", table, err)
	}
	for n := 1; n <= len(keyed); n++ {
		t.key = append(t.key, keyed[n])
	}
	return t, nil
}
