package tables

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// The example app with UUIDs as keys: each column of numbers has one of UUIDs beside it, which a trigger fills and
// which the mapping and the primary keys name. So whoever writes goes on with numbers.

// uuidTables are the tables with their columns of keys; those before a bar are the primary key.
var uuidTables = []struct{ table, columns string }{
	{"users", "id"},
	{"posts", "id | author_id"},
	{"follows", "follower_id followee_id"},
	{"comments", "id | post_id author_id"},
	{"likes", "user_id post_id"},
	{"blocks", "blocker_id blocked_id"},
	{"mutes", "muter_id muted_id"},
}

var (
	numberColumn = regexp.MustCompile(`\b(?:id|[a-z]+_id)\b`)
	references   = regexp.MustCompile(`REFERENCES public\.(\w+)`)
)

// SchemaOfUUIDs is the example app's tables with UUIDs as their keys.
func SchemaOfUUIDs() string {
	var b strings.Builder
	unique := strings.ReplaceAll(sql.ExampleSchema(), "PRIMARY KEY", "UNIQUE")
	b.WriteString(references.ReplaceAllString(unique, "$0 (id)"))
	for _, t := range uuidTables {
		key, _, _ := strings.Cut(t.columns, "|")
		var add, fill []string
		for _, c := range strings.Fields(strings.ReplaceAll(t.columns, "|", "")) {
			kind := "user"
			if c == "post_id" || c == "id" {
				kind = map[string]string{"users": "user", "comments": "comment"}[t.table]
				if kind == "" || c == "post_id" {
					kind = "post"
				}
			}
			add = append(add, "ADD "+c+"_uuid uuid")
			fill = append(fill, fmt.Sprintf("NEW.%[1]s_uuid := md5('%[2]s' || NEW.%[1]s)::uuid;", c, kind))
		}
		fmt.Fprintf(&b, `
			ALTER TABLE public.%[1]s %[2]s, ADD PRIMARY KEY (%[3]s);
			CREATE FUNCTION public.uuids_of_%[1]s() RETURNS trigger LANGUAGE plpgsql
			AS $$ BEGIN %[4]s RETURN NEW; END $$;
			CREATE TRIGGER uuids BEFORE INSERT OR UPDATE ON public.%[1]s
			FOR EACH ROW EXECUTE FUNCTION public.uuids_of_%[1]s();`,
			t.table, strings.Join(add, ", "),
			strings.Join(strings.Fields(numberColumn.ReplaceAllString(key, "${0}_uuid")), ", "),
			strings.Join(fill, " "))
	}
	return b.String()
}

// MappingOfUUIDs is the mapping of these tables.
func MappingOfUUIDs() mapping.Config {
	c := mapping.Default()
	c.Keys = core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys}
	for _, k := range mapping.Kinds() {
		columns := c.Of(k).Columns // a map: it is the mapping's own
		for field, column := range columns {
			columns[field] = numberColumn.ReplaceAllString(column, "${0}_uuid")
		}
	}
	return c
}

// DifferencesOfUUIDs is Differences for these tables.
func DifferencesOfUUIDs(ctx context.Context, pg Database, db *clickhouse.Client) (differences string, rows int,
	err error,
) {
	derived := map[string]string{}
	for table, query := range originals {
		derived[table] = numberColumn.ReplaceAllStringFunc(query, func(column string) string {
			if table == "comments" && column == "id" {
				return "id_uuid"
			}
			return sql.DerivedNumber(column + "_uuid::text")
		})
	}
	return compare(ctx, pg, db, derived, Copied)
}
