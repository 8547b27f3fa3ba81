package graph

import (
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// Tables says how the app names what the fallback reads. A Table is "name" or "schema.name"; an empty
// one means that the app has no such thing.
type Tables struct {
	Posts   PostTable
	Users   UserTable
	Follows EdgeTable
	Blocks  EdgeTable
	Mutes   EdgeTable
	Members EdgeTable     // of groups: From is a member of To
	Hides   EdgeTable     // of posts: From does not want to see To
	Keys    core.KeyForms // of the columns that name users, posts and groups; empty: integers
}

// PostTable names the app's posts.
type PostTable struct {
	Table, ID, Author, CreatedAt string
	// Visible is an SQL condition on a row, with columns qualified by the table; empty: all are.
	Visible string
	// TimeUnit is what a number in CreatedAt counts (us, ms, s or days), Zone of which times without a zone are;
	// empty: it is a time, in UTC.
	TimeUnit, Zone string
	// Audience is an SQL expression for a core.Audience, with columns qualified by the table; empty: all are public.
	Audience string
	// Group is the column of the post's group; empty: posts are in none.
	Group string
	// LabelColumns are those that give a post labels, and Labels makes them of what these hold, as JSON.
	LabelColumns []string
	Labels       func(columns map[string]json.RawMessage) ([]string, error)
	// Mutuals tells whether that may be those who follow each other.
	Mutuals bool
}

// Restricts tells whether posts may be for some only.
func (t Tables) Restricts() bool { return t.Posts.Audience != "" || t.Users.Private != "" }

// UserTable names the app's users.
type UserTable struct {
	Table, ID string
	// Absent is an SQL condition under which nobody is to see a user, with columns qualified; empty: never.
	Absent string
	// Private is one under which only followers see a user's posts; empty: never.
	Private string
	// NoDiscovery is one under which a user and their posts are recommended to nobody; empty: never.
	NoDiscovery string
}

// EdgeTable names a table of pairs: From follows, blocks, mutes or hides To, or is a member of it.
type EdgeTable struct {
	Table, From, To string
	// When is an SQL condition on a row, with columns qualified by the table; empty: all rows are meant.
	When string
}

// DefaultTables are those of the example schema, which the queries are written in.
func DefaultTables() Tables {
	return Tables{
		Posts: PostTable{
			Table: "posts", ID: "id", Author: "author_id", CreatedAt: "created_at",
			Visible: exampleVisible,
		},
		Users:   UserTable{Table: "users", ID: "id"},
		Follows: EdgeTable{Table: "follows", From: "follower_id", To: "followee_id"},
		Blocks:  EdgeTable{Table: "blocks", From: "blocker_id", To: "blocked_id"},
		Mutes:   EdgeTable{Table: "mutes", From: "muter_id", To: "muted_id"},
	}
}

// exampleMembers is the table that the queries name; the example schema has none.
var exampleMembers = EdgeTable{Table: "members", From: "user_id", To: "group_id"}

// exampleHides is the table that the queries name; the example schema has none.
var exampleHides = EdgeTable{Table: "hides", From: "user_id", To: "post_id"}

// exampleHidden leaves out what the viewer hid.
const exampleHidden = `NOT EXISTS (SELECT FROM "hides" ` +
	`WHERE "hides"."user_id" = $1 AND "hides"."post_id" = "posts"."id")`

// notHidden is the SQL condition that leaves out what the viewer hid.
func (t Tables) notHidden() string {
	if t.Hides.Table == "" {
		return "true"
	}
	hides := quoted(t.Hides.Table)
	condition := "NOT EXISTS (SELECT FROM " + hides + " WHERE " + hides + "." + quoted(t.Hides.From) + " = $1 AND " +
		hides + "." + quoted(t.Hides.To) + " = " + quoted(t.Posts.Table) + "." + quoted(t.Posts.ID)
	if t.Hides.When != "" {
		condition += " AND " + t.Hides.When
	}
	return condition + ")"
}

const exampleVisible = `"posts"."status" = 'published' AND "posts"."deleted_at" IS NULL`

// exampleAudience is everybody.
const exampleAudience = `(CASE WHEN false THEN 4 ELSE 0 END)`

// exampleGroup is none.
const exampleGroup = `NULL::bigint AS group_id`

// group is the SQL expression for the group of a post.
func (t Tables) group() string {
	column, kind := "NULL", "::bigint"
	if t.textual() {
		kind = "::text"
	}
	if t.Posts.Group != "" {
		column = quoted(t.Posts.Table) + "." + quoted(t.Posts.Group)
	}
	return column + kind + " AS group_id"
}

// exampleLabels is none.
const exampleLabels = `NULL::text AS labels`

// labels is the SQL expression for what gives a post its labels, as JSON.
func (t Tables) labels() string {
	if len(t.Posts.LabelColumns) == 0 {
		return exampleLabels
	}
	var fields []string
	for _, column := range t.Posts.LabelColumns {
		fields = append(fields, literal(column), "to_jsonb("+quoted(t.Posts.Table)+"."+quoted(column)+")")
	}
	return "jsonb_build_object(" + strings.Join(fields, ", ") + ")::text AS labels"
}

// exampleAbsent is nobody's condition.
const exampleAbsent = `"users"."id" < 0`

// query is one of our queries with the example's names replaced by the app's.
func (t Tables) query(name string) string {
	visible := t.Posts.Visible
	if visible == "" {
		visible = "true"
	}
	audience := t.Posts.Audience
	if audience == "" {
		audience = "0"
	}
	example := DefaultTables()
	posts := quoted(t.Posts.Table)
	column := posts + "." + quoted(t.Posts.CreatedAt)
	instant, local := t.Posts.instant(column)
	var pairs []string
	if t.textual() {
		pairs = t.textPairs(local)
	}
	pairs = append(pairs,
		exampleVisible, visible,
		exampleHidden, t.notHidden(),
		exampleAudience, audience,
		exampleGroup, t.group(),
		exampleLabels, t.labels(),
		`"posts"."created_at" AS created_at`, instant+" AS created_at",
		`("posts"."created_at", "posts"."id") < ($2::timestamptz, $3::bigint)`,
		"("+local+", "+posts+"."+quoted(t.Posts.ID)+") < ("+t.Posts.bound()+", $3::bigint)",
		`"posts"."created_at" <= $2::timestamptz`, local+" <= "+t.Posts.bound(),
		`"posts"."id"`, posts+"."+quoted(t.Posts.ID),
		`"posts"."group_id"`, posts+"."+quoted(t.Posts.Group),
		`"posts"."author_id"`, posts+"."+quoted(t.Posts.Author),
		`"posts"."created_at"`, local,
		`"posts"`, posts)
	if users := quoted(t.Users.Table); t.Users.Absent != "" {
		pairs = append(pairs, exampleAbsent, t.Users.Absent, `"users"."id"`, users+"."+quoted(t.Users.ID), `"users"`,
			users)
	}
	pairs = append(pairs, t.edgePairs(example.Follows, t.Follows)...)
	pairs = append(pairs, t.edgePairs(example.Blocks, t.Blocks)...)
	pairs = append(pairs, t.edgePairs(example.Mutes, t.Mutes)...)
	pairs = append(pairs, t.edgePairs(exampleMembers, t.Members)...)
	pairs = append(pairs, t.edgePairs(exampleHides, t.Hides)...)
	return strings.NewReplacer(pairs...).Replace(sql.Postgres(name))
}

// instant is when a post was made, and what posts are ordered by: the column itself where an index can help.
func (p PostTable) instant(column string) (instant, order string) {
	seconds, ok := map[string]string{"us": "1e6", "ms": "1e3", "s": "1", "days": "1.0 / 86400"}[p.TimeUnit]
	if !ok && p.Zone == "" {
		return column + "::timestamptz", column
	}
	zoned := column + "::timestamp AT TIME ZONE " + literal(p.zone())
	if !ok {
		return zoned, column
	}
	// A number, or a time that a connector writes as one. What no time can hold is none.
	text := "(to_jsonb(" + column + ") #>> '{}')"
	instant = "CASE WHEN jsonb_typeof(to_jsonb(" + column + ")) <> 'number' THEN " + text +
		"::timestamp AT TIME ZONE " + literal(p.zone()) +
		" WHEN abs(" + text + "::float8 / (" + seconds + ")) < 9e9 THEN to_timestamp(" + text + "::float8 / (" +
		seconds + ")) END"
	return instant, instant
}

// bound is the moment $2 as it compares with the order.
func (p PostTable) bound() string {
	if p.TimeUnit == "" && p.Zone != "" {
		return "$2::timestamptz AT TIME ZONE " + literal(p.zone())
	}
	return "$2::timestamptz"
}

func (p PostTable) zone() string {
	if p.Zone == "" {
		return "UTC"
	}
	return p.Zone
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// edgePairs lists the longer names first: the replacer tries them in this order.
func (t Tables) edgePairs(example, app EdgeTable) []string {
	from, to := quoted(example.Table)+"."+quoted(example.From), quoted(example.Table)+"."+quoted(example.To)
	if app.Table == "" { // nothing of the kind: an empty table in its place
		nothing := "(SELECT 0::bigint AS " + quoted(example.From) + ", 0::bigint AS " + quoted(example.To) +
			" WHERE false) AS " + quoted(example.Table)
		if t.textual() { // of the type that the app's users have
			author := quoted(t.Posts.Table) + "." + quoted(t.Posts.Author)
			nothing = "(SELECT " + author + " AS " + quoted(example.From) + ", " + author + " AS " + quoted(example.To) +
				" FROM " + quoted(t.Posts.Table) + " WHERE false) AS " + quoted(example.Table)
		}
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
