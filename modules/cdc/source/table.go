package source

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/sql"
)

// table is what we know of one of the app's tables.
type table struct {
	schema  string
	name    string
	columns []column
	key     []int // the primary key's columns, in its order
}

type column struct {
	name  string
	oid   uint32
	typ   string // as SQL writes it
	label []byte // `"name":`
	// millis: a time of three decimals at most, which Debezium counts in milliseconds.
	millis bool
}

// newColumn makes a column. modifier is PostgreSQL's of the type: of times the decimals, -1 for six.
func newColumn(name string, oid uint32, typ string, modifier int32) column {
	timed := oid == pgtype.TimestampOID || oid == pgtype.TimeOID
	return column{
		name: name, oid: oid, typ: typ, label: append(appendString(nil, name), ':'), millis: timed && modifier >= 0 && modifier <= 3,
	}
}

func (t *table) fullName() string { return t.schema + "." + t.name }

func (t *table) quoted() string { return pgx.Identifier{t.schema, t.name}.Sanitize() }

func (t *table) isKey(i int) bool { return slices.Contains(t.key, i) }

// sameKey tells whether two rows have the same primary key.
func (t *table) sameKey(a, b []value) bool {
	for _, i := range t.key {
		if a[i].null != b[i].null || !bytes.Equal(a[i].text, b[i].text) {
			return false
		}
	}
	return true
}

// keyOf leaves only the key of a row; all else is null. That is what a delete tells under the default
// replica identity.
func (t *table) keyOf(row []value) []value {
	out := make([]value, len(row))
	for i := range out {
		if t.isKey(i) {
			out[i] = row[i]
		} else {
			out[i] = value{null: true}
		}
	}
	return out
}

// readTable asks the catalog for the columns and the key of a table.
func readTable(ctx context.Context, conn *pgx.Conn, fullName string) (*table, error) {
	schema, name, _ := strings.Cut(fullName, ".")
	t := &table{schema: schema, name: name}
	rows, err := conn.Query(ctx, sql.Postgres("cdc_columns"), schema, name)
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", fullName, err)
	}
	type found struct {
		Name     string
		OID      uint32
		Type     string
		Position int // in the key, from 1; 0: not in it
		Modifier int32
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", fullName, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("table %s does not exist, or we may not see it: create it, or change cdc.tables", fullName)
	}
	order := map[int]int{}
	for i, c := range all {
		t.columns = append(t.columns, newColumn(c.Name, c.OID, c.Type, c.Modifier))
		if c.Position > 0 {
			order[c.Position] = i
		}
	}
	for n := 1; n <= len(order); n++ {
		t.key = append(t.key, order[n])
	}
	if len(t.key) == 0 {
		return nil, fmt.Errorf("table %s has neither a primary key nor a replica identity by an index: changes of its rows cannot be told apart", fullName)
	}
	return t, nil
}
