package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
)

// try maps a table as a kind, or says why it cannot be.
func (g guess) try(k mapping.Kind, t schema.Described) candidate {
	c := candidate{table: t, mapped: mapping.Table{Table: t.Name, Columns: map[string]string{}}}
	_, name := mapping.SplitTable(t.Name)
	switch {
	case !t.Readable:
		c.wrong = "our role may not read it: GRANT SELECT"
	case t.Wrong != "":
		c.wrong = "it cannot be read: " + t.Wrong
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
	ok := c.setTime(g.catalog.Zone)
	switch {
	case ok:
	case k == mapping.User || k == mapping.Post:
		c.wrong = "it has no time of creation: add a column created_at, or name it by hand"
	default:
		delete(c.mapped.Columns, "created_at")
		c.mapped.Constants = map[string]string{"created_at": "2020-01-01T00:00:00Z"}
		c.reasons = append(c.reasons, "it has no time: a constant stands in")
	}
	c.setConditions(k)
	return c
}

// setConditions says which rows are there and shown.
func (c *candidate) setConditions(k mapping.Kind) {
	c.mapped.GoneWhen = gone(c.table)
	switch k {
	case mapping.Post: // what is deleted softly may come back
		c.mapped.HiddenWhen, c.mapped.GoneWhen = c.mapped.GoneWhen, nil
		if draft := exact(c.table, []string{"published", "is_published"}, c.table.IsFlag); draft != "" {
			c.mapped.HiddenWhen = append(c.mapped.HiddenWhen, mapping.Condition{Column: draft, Is: "false"})
		}
		c.setLabels()
	case mapping.User:
		c.setSuspended()
	case mapping.Like:
		c.setVotes()
	default:
	}
}

// setSuspended says whom nobody is to see for now, whom only their followers, and who is not to be recommended.
func (c *candidate) setSuspended() {
	for _, column := range c.table.Columns {
		name := plain(column)
		switch {
		case slices.Contains(suspendedTimes, name) && !c.table.IsFlag(column):
			c.mapped.HiddenWhen = append(c.mapped.HiddenWhen, mapping.Condition{Column: column, Is: "set"})
		case slices.Contains(suspendedFlags, name) && c.table.IsFlag(column):
			c.mapped.HiddenWhen = append(c.mapped.HiddenWhen, mapping.Condition{Column: column, Is: "true"})
		case slices.Contains(privateFlags, name) && c.table.IsFlag(column):
			c.mapped.PrivateWhen = append(c.mapped.PrivateWhen, mapping.Condition{Column: column, Is: "true"})
		case slices.Contains(noDiscoveryFlags, name) && c.table.IsFlag(column):
			c.mapped.NoDiscoveryWhen = append(c.mapped.NoDiscoveryWhen, mapping.Condition{Column: column, Is: "true"})
		case slices.Contains(discoveryFlags, name) && c.table.IsFlag(column):
			c.mapped.NoDiscoveryWhen = append(c.mapped.NoDiscoveryWhen, mapping.Condition{Column: column, Is: "false"})
			c.asked = append(c.asked, "recommended to nobody unless "+column+": remove it if it means something else")
		case slices.Contains(activeFlags, name) && c.table.IsFlag(column):
			c.mapped.HiddenWhen = append(c.mapped.HiddenWhen, mapping.Condition{Column: column, Is: "false"})
			c.asked = append(c.asked, "hidden unless "+column+": remove it if it means something else")
		case strings.HasSuffix(name, "_until") || strings.HasSuffix(name, "_till"):
			c.asked = append(c.asked, "does "+column+
				" end a suspension? No condition can compare it with the clock: map a column that is set and cleared")
		}
	}
}

// setVotes takes votes up as likes, and votes down as dislikes.
func (c *candidate) setVotes() {
	for _, column := range c.table.Columns {
		switch votes, numbers := c.table.Votes[column]; {
		case slices.Contains(upFlags, plain(column)) && c.table.IsFlag(column):
			down, others := -1, "dislikes"
			if plain(column) == "liked" { // else it was taken back
				down, others = 0, "neither"
			}
			c.mapped.Columns["value"], c.mapped.Values = column, map[string]int{"true": 1, "false": down}
			c.reasons = append(c.reasons, "likes are rows whose "+column+" is true, the others are "+others)
		case numbers && votes.Many:
			c.wrong = column + " has many values: if it is a vote, up above 0 and down below, name it in columns.value by hand"
		case numbers:
			c.mapped.Columns["value"] = column
			c.reasons = append(c.reasons, "a "+column+" above 0 is a like, below 0 a dislike")
		default:
			continue
		}
		return
	}
}

func (c *candidate) setID() {
	if len(c.table.Key) != 1 {
		c.wrong = fmt.Sprintf("its key is %s: users and posts need one column as primary key",
			strings.Join(c.table.Key, ", "))
		return
	}
	id := c.table.Key[0]
	if c.table.KeyForm(id) == "" {
		c.wrong = fmt.Sprintf("its key %s is %s: %s", id, c.table.Types[id], c.table.NoKey(id))
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
		first, other, why := people(c.table, g.users, g.userKeys)
		if first == "" {
			c.wrong = "it has no two columns that name users, of the type of their keys"
			return
		}
		c.mapped.Columns[layout.First], c.mapped.Columns[layout.Other] = first, other
		c.reasons = append(c.reasons, why)
		c.onlyOf(other, g.users)
	default:
		author, why := reference(c.table, g.users, g.userKeys, authorWords)
		if author == "" {
			c.wrong = "no column of the type of users' keys names the author"
			return
		}
		c.mapped.Columns[layout.First] = author
		c.reasons = append(c.reasons, "author "+why)
		if body := exact(c.table, bodyNames, func(string) bool { return true }); k == mapping.Post && body != "" {
			c.score += 10
		}
		if layout.Other != "" && !slices.Contains(k.Optional(), layout.Other) {
			g.setPost(c, layout.Other, author)
		}
	}
}

func (g guess) setPost(c *candidate, field, author string) {
	list := postWords
	if _, name := mapping.SplitTable(g.posts); name != "" {
		list = append([]string{bare(singular(plain(name)))}, list...)
	}
	post, why := reference(c.table, g.posts, g.postKeys, list)
	if post == "" || post == author {
		post = named(c.table, anyWords, func(column string) bool { return holds(c.table, column, g.postKeys) })
		why = "by name " + post
	}
	if post == "" {
		c.wrong = "no column of the type of posts' keys names the post"
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
	c.asked = append(c.asked, fmt.Sprintf("%s says of what table %s is; %s is guessed", kind, column, class))
}
