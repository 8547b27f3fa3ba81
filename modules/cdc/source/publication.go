package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// publication is ours, or one that somebody made for us.
type publication struct {
	name    string
	exists  bool
	schemas bool // it carries whole schemas, and so takes no list of columns
	version int  // of the server, as server_version_num
	// mayCreate: we may make a publication in this database.
	mayCreate bool
	tables    map[string]published

	publicationState
}

type publicationState struct {
	OID                               uint32
	All                               bool // FOR ALL TABLES
	ViaRoot                           bool // a partitioned table's changes come as the table's own
	Insert, Update, Delete, Truncated bool
	Ours                              bool // we may change it
}

// published is a table in a publication.
type published struct {
	Name    string
	Columns []string // empty: all, and the server does not name them
	Filter  string   // which rows; empty: all
	Listed  bool     // the columns were listed, though perhaps all of them
}

// columnLists is the first version in which a publication may list columns.
const columnLists = 150000

func readPublication(ctx context.Context, db catalog, name string) (publication, error) {
	p := publication{name: name, tables: map[string]published{}}
	fail := func(err error) (publication, error) { return p, fmt.Errorf("publication %s: %w", name, err) }
	if err := db.QueryRow(ctx,
		"SELECT current_setting('server_version_num')::int, has_database_privilege(current_database(), 'CREATE')").Scan(&p.version, &p.mayCreate); err != nil {
		return fail(err)
	}
	rows, err := db.Query(ctx, sql.Postgres("cdc_publication"), name)
	if err != nil {
		return fail(err)
	}
	p.publicationState, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[publicationState])
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return fail(err)
	}
	p.exists = true
	if p.version >= columnLists {
		if err := db.QueryRow(ctx, sql.Postgres("cdc_published_schemas"), name).Scan(&p.schemas); err != nil {
			return fail(err)
		}
	}
	if rows, err = db.Query(ctx, sql.Postgres("cdc_published"), name); err != nil {
		return fail(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[published])
	if err != nil {
		return fail(err)
	}
	for _, t := range all {
		p.tables[t.Name] = t
	}
	return p, nil
}

// lacks tells what the publication does not publish of a table that it should carry; empty: nothing.
// What we may change ourselves, the tables and their columns, is not in it.
func (p publication) lacks(t *table) string {
	if !p.exists {
		return ""
	}
	alter := "ALTER PUBLICATION " + pgx.Identifier{p.name}.Sanitize()
	var actions []string
	for _, a := range []struct {
		name string
		on   bool
	}{{"insert", p.Insert}, {"update", p.Update}, {"delete", p.Delete}, {"truncate", p.Truncated}} {
		if !a.on {
			actions = append(actions, a.name)
		}
	}
	in := p.tables[t.fullName()]
	switch {
	case len(actions) > 0:
		return fmt.Sprintf("publication %s leaves out %s: %s SET (publish = 'insert, update, delete, truncate')",
			p.name, strings.Join(actions, " and "), alter)
	case t.relation.Kind == "p" && !p.ViaRoot:
		return fmt.Sprintf("publication %s carries its partitions, not the table: %s SET (publish_via_partition_root = true)", p.name, alter)
	case in.Filter != "":
		return fmt.Sprintf("publication %s leaves out rows: only those where %s; add the table without WHERE", p.name,
			in.Filter)
	}
	return ""
}

// carries tells whether the table is published with every column that is sent.
func (p publication) carries(t *table) bool {
	in, ok := p.tables[t.fullName()]
	if !ok || len(in.Columns) == 0 { // before lists of columns there are no names of them
		return ok
	}
	for _, name := range t.published() {
		if !slices.Contains(in.Columns, name) {
			return false
		}
	}
	return true
}

// item is the table as the publication is to carry it: with the columns that are sent, where PostgreSQL
// can do that. Under replica identity full it would then refuse the app's updates.
func (p publication) item(t *table, list bool) string {
	if !list || p.version < columnLists || p.schemas || t.relation.Whole {
		return t.quoted()
	}
	var names []string
	for _, name := range t.published() {
		names = append(names, pgx.Identifier{name}.Sanitize())
	}
	return t.quoted() + " (" + strings.Join(names, ", ") + ")"
}

// create is the statement that makes the publication.
func (p publication) create(tables []*table, list bool) string {
	var items []string
	for _, t := range tables {
		items = append(items, p.item(t, list))
	}
	what := ""
	if len(items) > 0 {
		what = " FOR TABLE " + strings.Join(items, ", ")
	}
	return "CREATE PUBLICATION " + pgx.Identifier{p.name}.Sanitize() + what +
		" WITH (publish_via_partition_root = true)"
}

// put are the statements that have the publication carry a table as it should.
func (p publication) put(t *table, list bool) []string {
	add := "ALTER PUBLICATION " + pgx.Identifier{p.name}.Sanitize() + " ADD TABLE " + p.item(t, list)
	if _, in := p.tables[t.fullName()]; in {
		return []string{p.drop(t), add}
	}
	return []string{add}
}

func (p publication) drop(t *table) string {
	return "ALTER PUBLICATION " + pgx.Identifier{p.name}.Sanitize() + " DROP TABLE " + t.quoted()
}

// refusesUpdates tells whether the publication lists columns of a table whose whole old rows are logged:
// PostgreSQL refuses the app's updates then.
func (p publication) refusesUpdates(t *table) bool {
	return t.relation.Whole && p.tables[t.fullName()].Listed
}

// notOurs explains an error of a statement that only the owner may run.
func notOurs(err error, statements []string) error {
	if postgres.IsPrivilege(err) {
		return fmt.Errorf("%w: have the owner run: %s", err, strings.Join(statements, "; "))
	}
	return err
}
