package propose

import (
	"fmt"
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
)

// groups finds the group of a post and who is in it, and takes posts of groups for those of members alone: what is
// shown to too few is missed, what is shown to too many is a breach.
func (p *Proposal) groups(g guess) {
	posts := g.table(p.Tables.Post.Table)
	column, group := g.groupOf(posts)
	if column == "" {
		return
	}
	members := g.members(group, posts.KeyForm(column))
	flag := exact(posts, membersFlags, posts.IsFlag)
	switch {
	case members.Table == "":
		p.ask(mapping.Post, posts.Name, fmt.Sprintf("%s is a group, but no table says who is in it: map "+
			"columns.group_id and member where one does, and members_when if its posts are for members alone", column))
		return
	case flag == "" && posts.Required[column]:
		p.ask(mapping.Post, posts.Name, fmt.Sprintf("everybody may see the posts of each %s: are those of some for its "+
			"members alone? No column of %s says which: then add one, and map it as members_when", column, posts.Name))
	default:
		p.forMembers(posts.Name, column, flag)
	}
	p.Tables.Post.Columns["group_id"] = column
	p.Tables.Member, p.Tables.Keys.Groups = members, posts.KeyForm(column)
	table := g.table(members.Table)
	p.Reasons[mapping.Member] = append([]string{fmt.Sprintf("%s: %d rows; %s get the posts of %s", table.Name,
		table.Rows, members.Columns["user_id"], members.Columns["group_id"])}, p.Reasons[mapping.Member]...)
	p.states(mapping.Member, table, members)
}

// forMembers says which posts of groups are for their members alone: those with a flag, else all.
func (p *Proposal) forMembers(posts, column, flag string) {
	when := mapping.Condition{Column: column, Is: "set"}
	if flag != "" {
		when = mapping.Condition{Column: flag, Is: "true"}
	}
	p.Tables.Post.MembersWhen = []mapping.Condition{when}
	p.ask(mapping.Post, posts, fmt.Sprintf("posts whose %s is %s are for the members of their %s alone: is it so?",
		when.Column, when.Is, column))
}

// ask notes what the app's people must look at.
func (p *Proposal) ask(k mapping.Kind, table, what string) {
	text := table + ": CHECK: " + what
	p.Reasons[k], p.Doubts = append(p.Reasons[k], text), append(p.Doubts, text)
}

// groupOf is the column of posts that names a group, and the group's table where there is one.
func (g guess) groupOf(posts schema.Described) (column, table string) {
	for _, word := range groupWords {
		column = named(posts, []string{word}, func(c string) bool {
			return posts.KeyForm(c) != "" && !posts.IsFlag(c) && (posts.References[c] != "" || bare(c) == word)
		})
		if column != "" {
			return column, posts.References[column]
		}
	}
	return "", ""
}

// members is the table of who is in which group; nothing, if there is none.
func (g guess) members(group string, form core.KeyForm) mapping.Table {
	var best candidate
	for _, t := range g.catalog.Tables {
		_, name := mapping.SplitTable(t.Name)
		parts := words(name)
		at := -1
		if len(parts) > 1 { // group_members; who is in members alone, nobody can tell
			at = slices.Index(memberTables, singular(parts[len(parts)-1]))
		}
		if at < 0 || t.Name == g.posts || t.Name == group || g.why(mapping.Member, t.Name) != "" {
			continue
		}
		if one := g.member(t, group, form); one.mapped.Table != "" {
			one.score -= at
			if best.mapped.Table == "" || one.score > best.score {
				best = one
			}
		}
	}
	return best.mapped
}

// member maps a table as that of members, if it has a group and a user.
func (g guess) member(t schema.Described, group string, form core.KeyForm) (c candidate) {
	if !t.Readable || t.Wrong != "" || t.Keyless {
		return c
	}
	in := named(t, groupWords, func(name string) bool {
		return t.KeyForm(name) == form && (group == "" || t.References[name] == group || t.References[name] == "")
	})
	who, _ := reference(t, g.users, g.userKeys, authorWords)
	if in == "" || who == "" || in == who {
		return c
	}
	c = candidate{table: t, mapped: mapping.Table{
		Table: t.Name, Columns: map[string]string{"user_id": who, "group_id": in},
	}}
	if group != "" && t.References[in] == group {
		c.score = 100
	}
	if !c.setTime(g.catalog.Zone) {
		delete(c.mapped.Columns, "created_at")
		c.mapped.Constants = map[string]string{"created_at": "2020-01-01T00:00:00Z"}
	}
	c.mapped.GoneWhen = gone(t)
	for _, column := range t.Columns {
		switch name := plain(column); {
		case slices.Contains(joinedFlags, name) && t.IsFlag(column):
			c.mapped.OnlyWhen = append(c.mapped.OnlyWhen, mapping.Condition{Column: column, Is: "true"})
		case slices.Contains(notYetFlags, name) && t.IsFlag(column):
			c.mapped.OnlyWhen = append(c.mapped.OnlyWhen, mapping.Condition{Column: column, Is: "false"})
		case slices.Contains(leftTimes, name) && !t.IsFlag(column):
			if one := (mapping.Condition{Column: column, Is: "set"}); !c.says(one) {
				c.mapped.GoneWhen = append(c.mapped.GoneWhen, one)
			}
		}
	}
	return c
}

// says tells whether a row counts as deleted by this already.
func (c *candidate) says(when mapping.Condition) bool {
	return slices.ContainsFunc(c.mapped.GoneWhen, func(o mapping.Condition) bool { return o.Column == when.Column })
}
