package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
)

// replies takes the posts that answer others as comments, where they have no table of their own.
func (p *Proposal) replies(g guess, t schema.Described) {
	column := exact(t, withID(replyTo), func(c string) bool { return holds(t, c, g.postKeys) })
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
			text += " or hidden_when, and who may see them, unlisted_when, followers_when, mutuals_when, members_when or direct_when"
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
