package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// textual tells whether the app has keys that are no integers. Then all its keys are written and read as text, whatever
// their columns are: a parameter of a query has the type of the column that it is compared with.
func (t Tables) textual() bool {
	return !integers(t.Keys.Users) || !integers(t.Keys.Posts) || !integers(t.Keys.Groups)
}

func integers(f core.KeyForm) bool { return f == "" || f == core.IntegerKeys }

// textPairs replace what the queries say of integers. Posts of one moment are in the order of their numbers, as the hot
// set has them: a timeline goes from one to the other, and must not skip or repeat. Where keys are in no order of time
// the latest posts are those of the latest times.
func (t Tables) textPairs(local string) []string {
	id := quoted(t.Posts.Table) + "." + quoted(t.Posts.ID)
	author := quoted(t.Posts.Table) + "." + quoted(t.Posts.Author)
	number := t.number(id + "::text")
	pairs := []string{
		`"posts"."id" AS id`, id + "::text AS id",
		`"posts"."author_id" AS author_id`, author + "::text AS author_id",
		`("posts"."created_at", "posts"."id") < ($2::timestamptz, $3::bigint)`,
		"(" + local + ", " + number + ") < (" + t.Posts.bound() + ", $3::bigint)",
		`"posts"."created_at" DESC, "posts"."id" DESC`, local + " DESC, " + number + " DESC",
		`latest.created_at DESC, latest.id DESC`, "latest.created_at DESC, " + t.number("latest.id") + " DESC",
		`ORDER BY "posts"."id" DESC`,
		"ORDER BY " + local + " DESC, " + number + " DESC",
		`= ANY($1::bigint[])`, `= ANY($1)`,
	}
	if t.Users.Absent != "" {
		pairs = append(pairs, `"users"."id" AS id`, quoted(t.Users.Table)+"."+quoted(t.Users.ID)+"::text AS id")
	}
	example := DefaultTables()
	other := func(before string, example, app EdgeTable, column, appColumn, after string) {
		name := quoted(app.Table) + "." + quoted(appColumn)
		if app.Table == "" || app.When != "" { // a table of ours stands in its place
			name = quoted(example.Table) + "." + quoted(column)
		}
		pairs = append(pairs, before+quoted(example.Table)+"."+quoted(column)+after, before+name+"::text"+after)
	}
	other("", example.Follows, t.Follows, example.Follows.To, t.Follows.To, " AS other_id")
	other("", example.Follows, t.Follows, example.Follows.From, t.Follows.From, " AS other_id")
	other("", exampleMembers, t.Members, exampleMembers.To, t.Members.To, " AS other_id")
	other("", exampleHides, t.Hides, exampleHides.To, t.Hides.To, " AS other_id")
	other("SELECT 2, ", example.Blocks, t.Blocks, example.Blocks.To, t.Blocks.To, "")
	other("SELECT 3, ", example.Blocks, t.Blocks, example.Blocks.From, t.Blocks.From, "")
	other("SELECT 4, ", example.Mutes, t.Mutes, example.Mutes.To, t.Mutes.To, "")
	return pairs
}

// number is an SQL expression for the number of a post's key.
func (t Tables) number(key string) string {
	if t.Keys.Posts == core.UUIDKeys {
		return sql.DerivedNumber(key)
	}
	return sql.KeyNumber(key)
}

// keys passes keys to PostgreSQL and reads them.
type keys struct {
	names   Names
	forms   core.KeyForms
	textual bool
}

// errNoName is of a number that was derived from a key that nobody remembers.
var errNoName = errors.New("its key is not known")

// texts are the keys of numbers that were derived, as far as they are known; an error comes with those that are.
func (k keys) texts(ctx context.Context, ids ...core.ID) (map[core.ID]string, error) {
	var derived []core.ID
	for _, id := range ids {
		if id.Derived() {
			derived = append(derived, id)
		}
	}
	if len(derived) == 0 {
		return nil, nil
	}
	if k.names.Texts == nil {
		return nil, errNoName
	}
	return k.names.Texts(ctx, derived)
}

// argument is the key of a number as a query's parameter.
func (k keys) argument(ctx context.Context, id core.ID) (any, error) {
	texts, err := k.texts(ctx, id)
	value, ok := k.value(id, texts)
	if !ok {
		return nil, fmt.Errorf("%d: %w", int64(id), cmp.Or(err, errNoName))
	}
	return value, nil
}

// value is a key as text where keys are texts, else as an integer: larger ones than are their own numbers have a text.
func (k keys) value(id core.ID, texts map[core.ID]string) (value any, ok bool) {
	text, named := texts[id]
	switch {
	case id.Derived() && !named:
		return nil, false
	case !named:
		text = id.String()
	}
	if k.textual {
		return text, true
	}
	if !named {
		return int64(id), true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// arguments are keys as one parameter, without those that nobody knows.
func (k keys) arguments(ctx context.Context, ids []core.ID) (any, error) {
	texts, err := k.texts(ctx, ids...)
	if err != nil && len(texts) == 0 {
		return nil, err
	}
	numbers, words := make([]int64, 0, len(ids)), []string(nil)
	for _, id := range ids {
		switch v, _ := k.value(id, texts); v := v.(type) {
		case int64:
			numbers = append(numbers, v)
		case string:
			words = append(words, v)
		}
	}
	if k.textual {
		return arrayOf(words), nil
	}
	return numbers, nil
}

// arrayOf writes an array as PostgreSQL reads it, of whatever type its elements are.
func arrayOf(words []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = `"` + escape.Replace(w) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// place is where a post stands among those of its moment: at its number, or at the integer that is its key.
func (k keys) place(ctx context.Context, post core.ID) (int64, error) {
	if k.textual || !post.Derived() || post == math.MinInt64 { // before all
		return int64(post), nil
	}
	value, err := k.argument(ctx, post)
	n, _ := value.(int64)
	return n, err
}

// column is a key that a row brings.
type column struct {
	keys   keys
	form   core.KeyForm
	number pgtype.Int8
	text   pgtype.Text
}

func (k keys) user() *column  { return &column{keys: k, form: k.forms.Users} }
func (k keys) post() *column  { return &column{keys: k, form: k.forms.Posts} }
func (k keys) group() *column { return &column{keys: k, form: k.forms.Groups} }

// target is what the row is read into.
func (c *column) target() any {
	if c.keys.textual {
		return &c.text
	}
	return &c.number
}

func (c *column) null() bool { return !c.number.Valid && !c.text.Valid }

// id is the number of the key, which is learnt where it cannot be told from that. 0 is nobody, which the key of a row
// is that no copy has: text that can be no key, or one whose number is another's.
func (c *column) id() core.ID {
	switch {
	case c.null():
		return 0
	case !c.text.Valid && !core.ID(c.number.Int64).Derived():
		return core.ID(c.number.Int64)
	case !c.text.Valid:
		return c.keys.learn(strconv.FormatInt(c.number.Int64, 10))
	case c.text.String == "0" && integers(c.form):
		return 0
	}
	return c.keys.learn(c.text.String)
}

func (k keys) learn(key string) core.ID {
	id, err := core.ParseID(key)
	if err == nil && id.Derived() && k.names.Learn != nil {
		id, err = k.names.Learn(key)
	}
	if err != nil {
		return 0
	}
	return id
}
