// Package people finds users by their names, for operators who have a name and need a key. Names are not copied: they
// are read from the app's own table, when somebody asks.
package people

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// Table is where the app keeps its users. Table is "name" or "schema.name".
type Table struct {
	Table, ID, Name string
	Keys            core.KeyForm
}

// Person is a user with a name.
type Person struct {
	ID   string `json:"id"` // the key, as the app has it
	Name string `json:"name"`
}

// People reads names. It is safe for concurrent use.
type People struct {
	db            postgres.Reader
	search, names string
	keys          core.KeyForm
}

// New prepares the questions; nil where the app's table of users, or its column of names, is not known.
func New(db postgres.Reader, t Table) *People {
	if t.Table == "" || t.Name == "" {
		return nil
	}
	table := pgx.Identifier(strings.Split(t.Table, ".")).Sanitize()
	array := map[core.KeyForm]string{core.UUIDKeys: "uuid", core.TextKeys: "text"}[t.Keys]
	if array == "" {
		array = "bigint"
	}
	own := strings.NewReplacer(`"users"."id"`, table+"."+pgx.Identifier{t.ID}.Sanitize(),
		`"users"."name"`, table+"."+pgx.Identifier{t.Name}.Sanitize(), `"users"`, table, "::bigint[]", "::"+array+"[]")
	return &People{
		db: db, keys: t.Keys, search: own.Replace(sql.Postgres("console_people_search")),
		names: own.Replace(sql.Postgres("console_people_names")),
	}
}

// The bounds of what PostgreSQL is asked: a search reads a whole table where no index helps.
const (
	searchWithin = 2 * time.Second
	namesWithin  = 300 * time.Millisecond
)

var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Search finds at most 20 users in whose name a text is, in upper or lower case.
func (p *People) Search(ctx context.Context, text string) ([]Person, error) {
	ctx, cancel := context.WithTimeout(ctx, searchWithin)
	defer cancel()
	return p.read(ctx, p.search, "%"+literal.Replace(text)+"%")
}

// Names are those of some users, by their keys. Who is not there is left out.
func (p *People) Names(ctx context.Context, ids []string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	asked := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, err := p.keys.Parse(id); err == nil {
			asked = append(asked, id)
		}
	}
	found, err := p.read(ctx, p.names, asked)
	names := make(map[string]string, len(found))
	for _, one := range found {
		names[one.ID] = one.Name
	}
	return names, err
}

func (p *People) read(ctx context.Context, query string, arg any) ([]Person, error) {
	rows, err := p.db.Query(ctx, query, arg)
	if err == nil {
		var found []Person
		if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Person]); err == nil {
			return found, nil
		}
	}
	return nil, core.Unavailable("PostgreSQL", time.Second, fmt.Errorf("names of users: %w", err))
}
