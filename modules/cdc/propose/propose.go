package propose

import (
	"fmt"
	"slices"
	"strings"

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
	asked   []string // what the app's people must decide
	wrong   string   // why it cannot be mapped; empty: it can
}

// Refused is a table that was proposed for a kind, and turned out not to fit.
type Refused struct {
	Kind  mapping.Kind
	Table string
	Why   string
}

// From guesses a mapping, without what was refused. Posts and users that cannot be mapped leave Tables.Post.Table or
// Tables.User.Table empty.
func From(c schema.Catalog, refused ...Refused) Proposal {
	p := Proposal{Counted: core.CountedFromEvents(), Reasons: map[mapping.Kind][]string{}}
	if c.Left > 0 {
		p.Doubts = append(p.Doubts, fmt.Sprintf("%d tables were not looked at", c.Left))
	}
	g := guess{catalog: c, refused: refused}
	p.Tables.User = g.take(&p, mapping.User)
	g.users, g.userKeys = p.Tables.User.Table, g.form(p.Tables.User, "id")
	p.Tables.Post = g.take(&p, mapping.Post)
	g.posts, g.postKeys = p.Tables.Post.Table, g.form(p.Tables.Post, "id")
	if g.users == "" {
		g.userKeys = g.form(p.Tables.Post, "author_id")
	}
	p.Tables.Keys = core.KeyForms{
		Users: orIntegers(g.userKeys), Posts: orIntegers(g.postKeys), Groups: core.IntegerKeys,
	}
	p.Tables.Comment = g.take(&p, mapping.Comment)
	if p.Tables.Comment.Table == "" && g.why(mapping.Comment, g.posts) == "" {
		p.replies(g, g.table(g.posts))
	}
	p.Tables.Follow = g.take(&p, mapping.Follow)
	p.Tables.Like = g.take(&p, mapping.Like)
	p.Tables.Block = g.take(&p, mapping.Block)
	p.Tables.Mute = g.take(&p, mapping.Mute)
	p.Tables.Hide = g.take(&p, mapping.Hide)
	p.groups(g)
	p.Counted.Likes = counted(g.table(p.Tables.Like.Table))
	p.Counted.Comments = counted(g.table(p.Tables.Comment.Table))
	return p
}

// guess is what is known so far.
type guess struct {
	catalog      schema.Catalog
	refused      []Refused
	users, posts string
	// the forms of their keys; empty: not known
	userKeys, postKeys core.KeyForm
}

// form is that of the keys of a field of a table that was mapped; empty: it was not.
func (g guess) form(t mapping.Table, field string) core.KeyForm {
	return g.table(t.Table).KeyForm(t.Columns[field])
}

func orIntegers(f core.KeyForm) core.KeyForm {
	if f == "" {
		return core.IntegerKeys
	}
	return f
}

// holds tells whether a column may hold keys of a form: where that is not known, integers or UUIDs.
func holds(t schema.Described, column string, form core.KeyForm) bool {
	have := t.KeyForm(column)
	return have != "" && (have == form || (form == "" && have != core.TextKeys))
}

// why is what a table was refused for as a kind; empty: it was not.
func (g guess) why(k mapping.Kind, table string) string {
	for _, r := range g.refused {
		if r.Kind == k && r.Table == table {
			return r.Why
		}
	}
	return ""
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
		if one.wrong == "" {
			one.wrong = g.why(k, t.Name)
		}
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
	reasons := []string{strings.TrimSuffix(about, "; ")}
	for _, asked := range best.asked {
		text := best.table.Name + ": CHECK: " + asked
		reasons = append(reasons, text)
		p.Doubts = append(p.Doubts, text)
	}
	p.Reasons[k] = append(reasons, p.Reasons[k]...)
	p.states(k, best.table, best.mapped)
	return best.mapped
}
