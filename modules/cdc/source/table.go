package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/sql"
)

// Table is one of the app's tables, and what is wanted of it.
type Table struct {
	Name    string   // schema.table
	Columns []string // that are sent, beside the key
	Key     string   // the column of its key that names a row by itself, and that records are keyed by; empty: all do
	IDs     []string // columns that must be in the key: rows are known by them
}

// table is what we know of one of the app's tables. Only the columns that are sent are in it.
type table struct {
	schema  string
	name    string
	columns []column
	key     []int  // what the log tells of a deleted row, in its order
	by      string // the one of them that records are keyed by; empty: all

	relation  relationState
	forbidden string // why it must not be published; empty: it may
	hidden    string // why it cannot be read as a whole; empty: it can
}

// relationState is what the catalog says of a table beside its columns.
type relationState struct {
	OID         uint32
	Kind        string // r: a table, p: a partitioned one
	Persistence string // p: its changes are logged
	Identity    string // replica identity: d, n, f or i
	Secured     bool   // row level security hides rows from us
	Usage       bool   // we may use its schema
	Unreadable  []string
	Odd         []string // partitions whose log tells another key
	Whole       bool     // the log has whole old rows
	Primary     []string // the primary key's columns
	Own         bool     // we own it, and so may publish it
}

// recordKey is what records are keyed by: changes of one row must meet in one partition, also where the
// primary key has more than names the row, and that changes.
func (t *table) recordKey() []int {
	for n, i := range t.key {
		if t.columns[i].name == t.by {
			return t.key[n : n+1]
		}
	}
	return t.key
}

// primary is the primary key, or what stands for it.
func (t *table) primary() []string {
	if len(t.relation.Primary) > 0 {
		return t.relation.Primary
	}
	var names []string
	for _, i := range t.key {
		names = append(names, t.columns[i].name)
	}
	return names
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
		name: name, oid: oid, typ: typ, label: append(appendString(nil, name), ':'), millis: timed && modifier >= 0 &&
			modifier <= 3,
	}
}

func (t *table) fullName() string { return t.schema + "." + t.name }

func (t *table) quoted() string { return pgx.Identifier{t.schema, t.name}.Sanitize() }

func (t *table) isKey(i int) bool { return slices.Contains(t.key, i) }

// names are those of the columns that are sent.
func (t *table) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

// published are the columns that the publication names: those that are sent, and the primary key, so that the app may
// make it the replica identity again without its updates being refused.
func (t *table) published() []string {
	names := t.names()
	for _, name := range t.relation.Primary {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// keyNames are the key's columns in its order, as they are remembered.
func (t *table) keyNames() string {
	var names []string
	for _, i := range t.key {
		names = append(names, pgx.Identifier{t.columns[i].name}.Sanitize())
	}
	return strings.Join(names, ", ")
}

// sameKey tells whether the records of two rows have the same key.
func (t *table) sameKey(a, b []value) bool {
	for _, i := range t.recordKey() {
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

// errNoTable says that a mapped table is not there.
var errNoTable = errors.New("does not exist, or we may not see it: create it, or change cdc.tables")

// catalog is whatever can be asked of PostgreSQL's catalog: a connection or a pool.
type catalog interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// readTable asks the catalog for the columns and the key of a table, and judges whether it may be
// published and can be read.
func readTable(ctx context.Context, db catalog, wanted Table) (*table, error) {
	schema, name, _ := strings.Cut(wanted.Name, ".")
	t := &table{schema: schema, name: name, by: wanted.Key}
	rows, err := db.Query(ctx, sql.Postgres("cdc_columns"), schema, name)
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", wanted.Name, err)
	}
	type found struct {
		Name     string
		OID      uint32
		Type     string
		Position int // in the key, from 1; 0: not in it
		Modifier int32
		Required bool // it is never null
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", wanted.Name, err)
	}
	order := map[int]int{}
	for _, c := range all {
		if c.Position == 0 && !slices.Contains(wanted.Columns, c.Name) {
			continue
		}
		if c.Position > 0 {
			order[c.Position] = len(t.columns)
		}
		t.columns = append(t.columns, newColumn(c.Name, c.OID, c.Type, c.Modifier))
	}
	for n := 1; n <= len(order); n++ {
		t.key = append(t.key, order[n])
	}
	rows, err = db.Query(ctx, sql.Postgres("cdc_relation"), schema, name, t.names())
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", wanted.Name, err)
	}
	t.relation, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[relationState])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoTable
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", wanted.Name, err)
	}
	t.judge(wanted)
	return t, nil
}

// judge finds what is in the way. Whoever publishes a table whose old rows the log does not tell makes
// the app's own updates and deletes fail.
func (t *table) judge(wanted Table) {
	r := t.relation
	switch {
	case r.Kind != "r" && r.Kind != "p":
		t.forbidden = "is no table, but a view or a foreign table: map the table behind it"
	case r.Persistence != "p":
		t.forbidden = "is unlogged or temporary: its changes are not in PostgreSQL's log"
	case len(t.key) == 0 && r.Identity == "i":
		t.forbidden = "has a replica identity whose index is gone: name another one (ALTER TABLE … REPLICA IDENTITY)"
	case len(t.key) == 0:
		t.forbidden = "has neither a primary key nor a replica identity by an index: deleted rows could not be told apart, and if it were published, " +
			"the app's own updates and deletes would fail; add a primary key that is not deferrable, or name a unique index (ALTER TABLE … REPLICA IDENTITY USING INDEX)"
	case len(r.Odd) > 0:
		t.forbidden = fmt.Sprintf("has partitions with another replica identity (%s): give them that of the table (ALTER TABLE … REPLICA IDENTITY)", strings.Join(r.Odd, ", "))
	}
	for _, id := range wanted.IDs {
		if t.forbidden == "" && !slices.ContainsFunc(t.key, func(i int) bool { return t.columns[i].name == id }) {
			t.forbidden = fmt.Sprintf("tells only (%s) of a deleted row, not %s, by which it is known: use a primary key with %s (ALTER TABLE … REPLICA IDENTITY DEFAULT)", t.keyNames(), id, id)
		}
	}
	switch {
	case r.Secured:
		t.hidden = "has row level security, which hides rows from our role: ALTER ROLE … BYPASSRLS, or name a role that may see every row"
	case !r.Usage:
		t.hidden = fmt.Sprintf("is in a schema that our role may not use: GRANT USAGE ON SCHEMA %s",
			pgx.Identifier{t.schema}.Sanitize())
	case len(r.Unreadable) > 0:
		t.hidden = fmt.Sprintf("has columns that our role may not read (%s): GRANT SELECT",
			strings.Join(r.Unreadable, ", "))
	}
}
