package schema

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// Catalog is what a mapping can be guessed from.
type Catalog struct {
	Tables []Described
	Zone   string // of the database's sessions; empty: the server's
	Left   int    // tables that were not looked at: there are too many
}

// Described is a table of the app, as its database describes it.
type Described struct {
	Name       string // schema.table
	Rows       int64  // estimated where there are many
	Readable   bool
	Wrong      string // what the server said when a row was to be read; empty: nothing
	Keyless    bool   // the log would not tell which row was deleted
	Columns    []string
	Key        []string
	OIDs       map[string]uint32 // of the columns
	Types      map[string]string // of the columns, as SQL writes them
	Required   map[string]bool   // columns that are never null
	References map[string]string // by column: the table that its foreign key refers to
	Samples    map[string]int64  // of number columns that may be times: the value of a row
	Votes      map[string]Votes  // of integer columns that may be votes
}

// Votes are the values of a column that were found in some of its rows, in order.
type Votes struct {
	Values []int64
	Many   bool // there are more
}

// likeTime are names of columns that may be times, likeVote those that may be votes up and down.
var (
	likeTime = regexp.MustCompile(`(?i)creat|publish|post|insert|time|date|since|_at$|_on$|At$`)
	likeVote = regexp.MustCompile(`(?i)(^|_)(score|vote|value|weight|direction|rating)$`)
)

const (
	voteRows   = 10_000 // are read to find the values of votes
	voteValues = 8      // are as many as a list of a condition should have
)

// ReadCatalog describes the tables of a database, so many at most. It only reads.
func ReadCatalog(ctx context.Context, db *pgxpool.Pool, most int) (Catalog, error) {
	var found Catalog
	identities, names, err := listTables(ctx, db)
	if err != nil {
		return found, err
	}
	if len(names) > most {
		found.Left, names = len(names)-most, names[:most]
	}
	err = db.QueryRow(ctx, sql.Postgres("cdc_time_zone")).Scan(&found.Zone)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return found, fmt.Errorf("time zone of the database: %w", err)
	}
	rows, err := db.Query(ctx, sql.Postgres("cdc_described"), names)
	if err != nil {
		return found, fmt.Errorf("tables of the app: %w", err)
	}
	var d Described
	var columns, targets []string
	_, err = pgx.ForEachRow(rows, []any{&d.Name, &d.Rows, &d.Readable, &columns, &targets}, func() error {
		d.References = map[string]string{}
		for i, c := range columns {
			d.References[c] = targets[i]
		}
		found.Tables = append(found.Tables, d)
		return nil
	})
	if err != nil {
		return found, fmt.Errorf("tables of the app: %w", err)
	}
	for i := range found.Tables {
		if err := found.Tables[i].describe(ctx, db, identities); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (d *Described) describe(ctx context.Context, db *pgxpool.Pool, identities map[string]string) error {
	t, err := readShape(ctx, db, d.Name)
	if err != nil {
		return err
	}
	d.Columns, d.Key, d.OIDs, d.Types, d.Required = t.columns, t.key, t.oids, t.types, t.required
	d.Keyless = len(t.key) == 0 || identities[d.Name] == "n"
	if !d.Readable {
		return nil
	}
	err = d.readRows(ctx, db)
	if refused(err) { // by this table: a policy, no right to its schema, a timeout
		d.Wrong = postgres.Explained(err).Error()
		return nil
	}
	return err
}

// readRows looks at some rows: how many there are, and what may be times or votes.
func (d *Described) readRows(ctx context.Context, db *pgxpool.Pool) error {
	if d.Rows < someRows {
		if err := db.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s LIMIT %d) AS few",
			quoted(d.Name), someRows)).Scan(&d.Rows); err != nil {
			return fmt.Errorf("rows of %s: %w", d.Name, err)
		}
	}
	d.Samples, d.Votes = map[string]int64{}, map[string]Votes{}
	for _, c := range d.Columns {
		if d.References[c] != "" || !slices.Contains(numberTypes, d.OIDs[c]) {
			continue
		}
		if likeTime.MatchString(c) && !strings.HasSuffix(strings.ToLower(c), "id") {
			if err := d.sample(ctx, db, c); err != nil {
				return err
			}
		}
		if likeVote.MatchString(c) && d.IsInteger(c) && !slices.Contains(d.Key, c) {
			if err := d.votes(ctx, db, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Described) sample(ctx context.Context, db *pgxpool.Pool, column string) error {
	name := pgx.Identifier{column}.Sanitize()
	var n int64
	err := db.QueryRow(ctx, fmt.Sprintf("SELECT trunc(%s)::bigint FROM %s WHERE %s IS NOT NULL LIMIT 1", name,
		quoted(d.Name), name)).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("a row of %s: %w", d.Name, err)
	}
	d.Samples[column] = n
	return nil
}

func (d *Described) votes(ctx context.Context, db *pgxpool.Pool, column string) error {
	name := pgx.Identifier{column}.Sanitize()
	rows, err := db.Query(ctx, fmt.Sprintf(
		"SELECT DISTINCT value FROM (SELECT %s::bigint AS value FROM %s WHERE %s IS NOT NULL LIMIT %d) AS few ORDER BY 1 LIMIT %d",
		name, quoted(d.Name), name, voteRows, voteValues+1))
	if err != nil {
		return fmt.Errorf("values of %s: %w", d.Name, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("values of %s: %w", d.Name, err)
	}
	many := len(found) > voteValues
	d.Votes[column] = Votes{Values: found[:min(len(found), voteValues)], Many: many}
	return nil
}

// KeyForm is the form of the keys that a column may hold; empty: none.
func (d Described) KeyForm(column string) core.KeyForm { return d.keyType(column).form() }

// NoKey says why a column that has no KeyForm cannot hold keys, and what to do.
func (d Described) NoKey(column string) string { return d.keyType(column).unfit() }

func (d Described) keyType(column string) keyType {
	return keyType{Column: column, OID: d.OIDs[column], Type: d.Types[column], Exact: true} // else the check says so
}

// IsInteger tells whether a column holds 64-bit integers.
func (d Described) IsInteger(column string) bool {
	return slices.Contains([]uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID}, d.OIDs[column])
}

// IsFlag tells whether a column is true or false.
func (d Described) IsFlag(column string) bool { return d.OIDs[column] == pgtype.BoolOID }
