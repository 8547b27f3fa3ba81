package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
)

// Proposal is a mapping, and why it is this one.
type Proposal struct {
	Tables  mapping.Config
	Counted core.CountedFrom
	Reasons map[mapping.Kind][]string
	// Doubts are what must be looked at: tables that do not fit, and conditions that only the app knows.
	Doubts []string
}

// candidate is a table that may be of a kind.
type candidate struct {
	table   schema.Described
	score   int
	mapped  mapping.Table
	reasons []string
	wrong   string // why it cannot be mapped; empty: it can
}

// From guesses a mapping. Posts and users that cannot be mapped leave Tables.Post.Table or Tables.User.Table empty.
func From(c schema.Catalog) Proposal {
	p := Proposal{Counted: core.CountedFromEvents(), Reasons: map[mapping.Kind][]string{}}
	if c.Left > 0 {
		p.Doubts = append(p.Doubts, fmt.Sprintf("%d tables were not looked at", c.Left))
	}
	g := guess{catalog: c}
	p.Tables.User = g.take(&p, mapping.User)
	g.users = p.Tables.User.Table
	p.Tables.Post = g.take(&p, mapping.Post)
	g.posts = p.Tables.Post.Table
	p.Tables.Comment = g.take(&p, mapping.Comment)
	if p.Tables.Comment.Table == "" {
		p.replies(g.table(g.posts))
	}
	p.Tables.Follow = g.take(&p, mapping.Follow)
	p.Tables.Like = g.take(&p, mapping.Like)
	p.Tables.Block = g.take(&p, mapping.Block)
	p.Tables.Mute = g.take(&p, mapping.Mute)
	p.Counted.Likes = counted(g.table(p.Tables.Like.Table))
	p.Counted.Comments = counted(g.table(p.Tables.Comment.Table))
	return p
}

// guess is what is known so far.
type guess struct {
	catalog      schema.Catalog
	users, posts string
}

func (g guess) table(name string) schema.Described {
	for _, t := range g.catalog.Tables {
		if t.Name == name {
			return t
		}
	}
	return schema.Described{}
}

// take chooses the best table of a kind.
func (g guess) take(p *Proposal, k mapping.Kind) mapping.Table {
	var fit, unfit []candidate
	for _, t := range g.catalog.Tables {
		score := nameScore(k, t.Name)
		if score == 0 {
			continue
		}
		one := g.try(k, t)
		one.score += score
		if one.wrong == "" {
			fit = append(fit, one)
		} else {
			unfit = append(unfit, one)
		}
	}
	byScore := func(a, b candidate) int { return b.score - a.score }
	slices.SortStableFunc(fit, byScore)
	for _, u := range unfit {
		text := u.table.Name + ": not mapped as " + k.String() + ": " + u.wrong
		p.Reasons[k] = append(p.Reasons[k], text)
		p.Doubts = append(p.Doubts, text)
	}
	if len(fit) == 0 {
		if len(unfit) == 0 {
			p.Reasons[k] = append(p.Reasons[k], "no table looks like it")
		}
		return mapping.Table{}
	}
	best := fit[0]
	var others []string
	for _, other := range fit[1:] {
		others = append(others, other.table.Name)
	}
	if len(others) > 0 {
		best.reasons = append(best.reasons, "also looked like it: "+strings.Join(others, ", "))
	}
	about := fmt.Sprintf("%s: %d rows; %s", best.table.Name, best.table.Rows, strings.Join(best.reasons, "; "))
	p.Reasons[k] = slices.Insert(p.Reasons[k], 0, strings.TrimSuffix(about, "; "))
	p.states(k, best.table, best.mapped)
	return best.mapped
}

// try maps a table as a kind, or says why it cannot be.
func (g guess) try(k mapping.Kind, t schema.Described) candidate {
	c := candidate{table: t, mapped: mapping.Table{Table: t.Name, Columns: map[string]string{}}}
	_, name := mapping.SplitTable(t.Name)
	switch {
	case !t.Readable:
		c.wrong = "our role may not read it: GRANT SELECT"
	case strings.Contains(name, "."):
		c.wrong = "its name has a dot: map a table of another name"
	case t.Keyless:
		c.wrong = "it has no primary key, or its replica identity is nothing: add one"
	case k.Layout().ByID:
		c.setID()
	}
	if c.wrong != "" {
		return c
	}
	g.setColumns(&c, k)
	if c.wrong != "" {
		return c
	}
	why, ok := setTime(&c.mapped, t, g.catalog.Zone)
	switch {
	case ok:
	case k == mapping.User || k == mapping.Post:
		c.wrong = "it has no time of creation: add a column created_at, or name it by hand"
	default:
		delete(c.mapped.Columns, "created_at")
		c.mapped.Constants = map[string]string{"created_at": "2020-01-01T00:00:00Z"}
		why = "it has no time: a constant stands in"
	}
	if why != "" {
		c.reasons = append(c.reasons, why)
	}
	conditions := gone(t)
	if k != mapping.Post {
		c.mapped.GoneWhen = conditions
		return c
	}
	if draft := exact(t, []string{"published", "is_published"}, func(col string) bool {
		return t.OIDs[col] == pgtype.BoolOID
	}); draft != "" {
		conditions = append(conditions, mapping.Condition{Column: draft, Is: "false"})
	}
	c.mapped.HiddenWhen = conditions
	return c
}

func (c *candidate) setID() {
	if len(c.table.Key) != 1 {
		c.wrong = fmt.Sprintf("its key is %s: users and posts need one integer column as primary key",
			strings.Join(c.table.Key, ", "))
		return
	}
	id := c.table.Key[0]
	if !c.table.IsInteger(id) {
		c.wrong = fmt.Sprintf("its key %s is %s: ids are 64-bit integers, and %s keys are not supported yet; give the table a bigint identity column as primary key", id, c.table.Types[id], c.table.Types[id])
		return
	}
	c.mapped.Columns["id"] = id
	c.reasons = append(c.reasons, fmt.Sprintf("key %s %s", id, c.table.Types[id]))
}

func (g guess) setColumns(c *candidate, k mapping.Kind) {
	layout := k.Layout()
	switch k {
	case mapping.User:
		for _, t := range g.catalog.Tables {
			for _, target := range t.References {
				if target == c.table.Name && c.score < 60 {
					c.score += 5
				}
			}
		}
	case mapping.Follow, mapping.Block, mapping.Mute:
		first, other, why := people(c.table, g.users)
		if first == "" {
			c.wrong = "it has no two integer columns that name users"
			return
		}
		c.mapped.Columns[layout.First], c.mapped.Columns[layout.Other] = first, other
		c.reasons = append(c.reasons, why)
		c.onlyOf(other, g.users)
	default:
		author, why := reference(c.table, g.users, authorWords)
		if author == "" {
			c.wrong = "no integer column names the author"
			return
		}
		c.mapped.Columns[layout.First] = author
		c.reasons = append(c.reasons, "author "+why)
		if body := exact(c.table, bodyNames, func(string) bool { return true }); k == mapping.Post && body != "" {
			c.score += 10
		}
		if layout.Other != "" {
			g.setPost(c, layout.Other, author)
		}
	}
}

func (g guess) setPost(c *candidate, field, author string) {
	list := postWords
	if _, name := mapping.SplitTable(g.posts); name != "" {
		list = append([]string{bare(singular(plain(name)))}, list...)
	}
	post, why := reference(c.table, g.posts, list)
	if post == "" || post == author {
		post = named(c.table, anyWords, c.table.IsInteger)
		why = "by name " + post
	}
	if post == "" {
		c.wrong = "no integer column names the post"
		return
	}
	c.mapped.Columns[field] = post
	c.reasons = append(c.reasons, "post "+why)
	c.onlyOf(post, g.posts)
}

// onlyOf restricts a column that may refer to several tables, told apart by a column beside it, to one of them.
func (c *candidate) onlyOf(column, target string) {
	kind := exact(c.table, []string{bare(column) + "_type"}, func(string) bool { return true })
	if kind == "" {
		return
	}
	_, name := mapping.SplitTable(target)
	class := ""
	for _, w := range words(name) {
		w = singular(w)
		class += strings.ToUpper(w[:1]) + w[1:]
	}
	c.mapped.OnlyWhen = []mapping.Condition{{Column: kind, In: []string{class}}}
	c.reasons = append(c.reasons, fmt.Sprintf("CHECK: %s says of what table %s is; %s is guessed", kind, column, class))
}

// replies takes the posts that answer others as comments, where they have no table of their own.
func (p *Proposal) replies(t schema.Described) {
	column := exact(t, withID(replyTo), t.IsInteger)
	if column == "" {
		return
	}
	post := &p.Tables.Post
	comment := mapping.Table{
		Table: t.Name, GoneWhen: post.HiddenWhen, TimeUnit: post.TimeUnit, TimeZone: post.TimeZone,
		Columns: map[string]string{
			"author_id": post.Columns["author_id"], "post_id": column, "created_at": post.Columns["created_at"],
		},
		OnlyWhen: []mapping.Condition{{Column: column, Is: "set"}},
	}
	post.OnlyWhen = append(post.OnlyWhen, mapping.Condition{Column: column, Is: "null"})
	p.Tables.Comment = comment
	p.Reasons[mapping.Comment] = []string{t.Name + ": posts that have " + column + " are replies"}
}

func withID(list []string) []string {
	out := slices.Clone(list)
	for _, name := range list {
		out = append(out, name+"_id")
	}
	return out
}

// states tells of columns that may say which rows count, which only the app knows.
func (p *Proposal) states(k mapping.Kind, t schema.Described, m mapping.Table) {
	for _, c := range t.Columns {
		name := plain(c)
		asked := slices.ContainsFunc(m.OnlyWhen, func(o mapping.Condition) bool { return o.Column == c })
		if asked || k == mapping.User ||
			(!slices.Contains(states, name) && !strings.HasSuffix(name, "_type_id") && name != "category") {
			continue
		}
		text := fmt.Sprintf("%s: CHECK: does %s say which rows are a %s? Then add only_when", t.Name, c, k)
		if k == mapping.Post {
			text += " or hidden_when"
		}
		text += fmt.Sprintf(": [{column: %s, not_in or in: [...]}]", plainScalar(c))
		p.Reasons[k] = append(p.Reasons[k], text)
		p.Doubts = append(p.Doubts, text)
	}
}

// counted chooses where a table's kind counts from: the app's table, if something is in it.
func counted(t schema.Described) string {
	if t.Name == "" || t.Rows == 0 {
		return "events"
	}
	return "cdc"
}
