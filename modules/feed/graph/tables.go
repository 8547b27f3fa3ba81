package graph

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/sql"
)

// Tables says how the app names what the fallback reads. A Table is "name" or "schema.name"; an empty
// one means that the app has no such thing.
type Tables struct {
	Posts   PostTable
	Follows EdgeTable
	Blocks  EdgeTable
	Mutes   EdgeTable
}

// PostTable names the app's posts.
type PostTable struct {
	Table, ID, Author, CreatedAt string
	// Visible is an SQL condition on a row, with columns qualified by the table; empty: all are.
	Visible string
}

// EdgeTable names a table of pairs: From follows, blocks or mutes To.
type EdgeTable struct {
	Table, From, To string
	// When is an SQL condition on a row, with columns qualified by the table; empty: all rows are meant.
	When string
}

// DefaultTables are those of the example schema, which the queries are written in.
func DefaultTables() Tables {
	return Tables{
		Posts:   PostTable{Table: "posts", ID: "id", Author: "author_id", CreatedAt: "created_at", Visible: exampleVisible},
		Follows: EdgeTable{Table: "follows", From: "follower_id", To: "followee_id"},
		Blocks:  EdgeTable{Table: "blocks", From: "blocker_id", To: "blocked_id"},
		Mutes:   EdgeTable{Table: "mutes", From: "muter_id", To: "muted_id"},
	}
}

const exampleVisible = `"posts"."status" = 'published' AND "posts"."deleted_at" IS NULL`

// query is one of our queries with the example's names replaced by the app's.
func (t Tables) query(name string) string {
	visible := t.Posts.Visible
	if visible == "" {
		visible = "true"
	}
	example := DefaultTables()
	posts := quoted(t.Posts.Table)
	pairs := []string{
		exampleVisible, visible,
		`"posts"."id"`, posts + "." + quoted(t.Posts.ID),
		`"posts"."author_id"`, posts + "." + quoted(t.Posts.Author),
		`"posts"."created_at"`, posts + "." + quoted(t.Posts.CreatedAt),
		`"posts"`, posts,
	}
	pairs = append(pairs, edgePairs(example.Follows, t.Follows)...)
	pairs = append(pairs, edgePairs(example.Blocks, t.Blocks)...)
	pairs = append(pairs, edgePairs(example.Mutes, t.Mutes)...)
	return strings.NewReplacer(pairs...).Replace(sql.Postgres(name))
}

// edgePairs lists the longer names first: the replacer tries them in this order.
func edgePairs(example, app EdgeTable) []string {
	from, to := quoted(example.Table)+"."+quoted(example.From), quoted(example.Table)+"."+quoted(example.To)
	if app.Table == "" { // nothing of the kind: an empty table in its place
		nothing := "(SELECT 0::bigint AS " + quoted(example.From) + ", 0::bigint AS " + quoted(example.To) + " WHERE false) AS " + quoted(example.Table)
		return []string{from, from, to, to, quoted(example.Table), nothing}
	}
	if app.When != "" { // some of the table's rows, under the example's names; the planner reads through it
		some := "(SELECT " + quoted(app.Table) + "." + quoted(app.From) + " AS " + quoted(example.From) + ", " +
			quoted(app.Table) + "." + quoted(app.To) + " AS " + quoted(example.To) +
			" FROM " + quoted(app.Table) + " WHERE " + app.When + ") AS " + quoted(example.Table)
		return []string{from, from, to, to, quoted(example.Table), some}
	}
	return []string{
		from, quoted(app.Table) + "." + quoted(app.From),
		to, quoted(app.Table) + "." + quoted(app.To),
		quoted(example.Table), quoted(app.Table),
	}
}

// quoted quotes "schema.name" part by part.
func quoted(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }
