package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
)

// Config maps each kind to a table of the app. A kind whose table is empty is not copied; users may
// always be left out, posts never.
type Config struct {
	// Keys are the forms of the app's keys: the setting keys, which is not below cdc.tables.
	Keys core.KeyForms `koanf:"-" validate:"-"`

	User    Table `koanf:"user"`
	Post    Table `koanf:"post"`
	Follow  Table `koanf:"follow"`
	Comment Table `koanf:"comment"`
	Like    Table `koanf:"like"`
	Block   Table `koanf:"block"`
	Mute    Table `koanf:"mute"`
	Member  Table `koanf:"member"`
	Hide    Table `koanf:"hide"`
}

// Table says where a kind's rows come from. One table may serve several kinds, each with its OnlyWhen.
type Table struct {
	Table           string            `koanf:"table"`             // schema.table; empty: not copied
	Columns         map[string]string `koanf:"columns"`           // our field: the app's column; a field that is not named has the column of its own name
	Constants       map[string]string `koanf:"constants"`         // our field: a value that is the same for every row
	OnlyWhen        []Condition       `koanf:"only_when"`         // all must hold, else the row is none of this kind
	GoneWhen        []Condition       `koanf:"gone_when"`         // any: the row counts as deleted (soft deletes)
	HiddenWhen      []Condition       `koanf:"hidden_when"`       // any: the user or post is not shown, but may come back; a user's posts go and come with them
	UnlistedWhen    []Condition       `koanf:"unlisted_when"`     // any: only the author's followers get the post into their feeds, and it never trends
	FollowersWhen   []Condition       `koanf:"followers_when"`    // any: only the author's followers may see the post
	MutualsWhen     []Condition       `koanf:"mutuals_when"`      // any: only those may see the post who follow the author and whom the author follows
	MembersWhen     []Condition       `koanf:"members_when"`      // any: only the members of the post's group (columns.group_id) may see it
	DirectWhen      []Condition       `koanf:"direct_when"`       // any: the post is in nobody's feed
	PrivateWhen     []Condition       `koanf:"private_when"`      // of users; any: only their followers may see their posts
	NoDiscoveryWhen []Condition       `koanf:"no_discovery_when"` // of users; any: they and their posts are recommended to nobody; followers have the posts as before
	Values          map[string]int    `koanf:"values"`            // of likes: a kind of reaction (columns.value), and how many likes it is, 1 to 10, or dislikes, -1 to -10; 0: neither; one that is not named: 1
	Labels          []LabelRule       `koanf:"labels"`            // of posts: what gives them labels, as {column: language, prefix: "lang:"} or {label: sensitive, when: [{column: nsfw, is: "true"}]}
	TimeUnit        envelope.Unit     `koanf:"time_unit"`         // us, ms, s or days: what a number in a time column counts; empty: what the source says, else us
	TimeZone        string            `koanf:"time_zone"`         // of times without a zone, as Europe/Berlin; empty: UTC
}

// Condition asks one thing of one column. Exactly one of In, NotIn and Is is set. A null is in no
// list, so that NotIn holds for it.
type Condition struct {
	Column string   `koanf:"column"`
	In     []string `koanf:"in"`
	NotIn  []string `koanf:"not_in"`
	Is     string   `koanf:"is"` // null, set (not null), true or false (null is false); of blocks and mutes, past (in gone_when) or future (in only_when) says when they end
}

// Default maps the plain social schema that ships as an example (sql/postgres/example).
func Default() Config {
	same := func(k Kind, table string) Table {
		columns := map[string]string{}
		for _, f := range k.Fields() {
			columns[f] = f
		}
		return Table{Table: table, Columns: columns}
	}
	c := Config{
		Keys: core.KeyForms{Users: core.IntegerKeys, Posts: core.IntegerKeys, Groups: core.IntegerKeys},
		User: same(User, "public.users"), Post: same(Post, "public.posts"), Follow: same(Follow, "public.follows"),
		Comment: same(Comment, "public.comments"), Like: same(Like, "public.likes"),
		Block: same(Block, "public.blocks"), Mute: same(Mute, "public.mutes"),
	}
	c.Post.HiddenWhen = []Condition{
		{Column: "status", NotIn: []string{"published"}},
		{Column: "deleted_at", Is: "set"},
	}
	return c
}

// Of is the table of a kind.
func (c Config) Of(k Kind) Table {
	return [kinds]Table{
		User: c.User, Post: c.Post, Follow: c.Follow, Comment: c.Comment, Like: c.Like, Block: c.Block,
		Mute: c.Mute, Member: c.Member, Hide: c.Hide,
	}[k]
}

// Check tells what is wrong, by the key below cdc.tables.
func (c Config) Check() map[string]string {
	wrong := map[string]string{}
	for _, k := range Kinds() {
		t := c.Of(k)
		if t.Table == "" {
			if k == Post {
				wrong["post.table"] = "is empty; posts are what feeds are made of"
			}
			continue
		}
		t.check(k, c.Keys, func(key, format string, args ...any) {
			wrong[k.String()+"."+key] = fmt.Sprintf(format, args...)
		})
	}
	c.checkGroups(wrong)
	return wrong
}

// checkGroups holds that what is for members has a group, and that the members of a mapped group are known.
func (c Config) checkGroups(wrong map[string]string) {
	const group = fieldGroup
	switch has := c.Post.has(Post, group); {
	case len(c.Post.MembersWhen) > 0 && !has:
		wrong["post.members_when"] = "of which group? Name its column in post.columns.group_id"
	case len(c.Post.MembersWhen) > 0 && c.Member.Table == "":
		wrong["post.members_when"] = "who are the members? Name their table in member.table"
	case has && c.Member.Table == "":
		wrong["post.columns.group_id"] = "who gets the posts of a group? Name the table of its members, or of those who " +
			"follow it, in member.table"
	}
}

// has tells whether a table has a field: it may be left out.
func (t Table) has(k Kind, field string) bool {
	_, constant := t.Constants[field]
	return !slices.Contains(k.Optional(), field) || t.Columns[field] != "" || constant
}

// fields are those that are mapped.
func (t Table) fields(k Kind) []string {
	all := k.Fields()
	for _, optional := range k.Optional() {
		if t.has(k, optional) {
			all = append(all, optional)
		}
	}
	return all
}

// Column is the app's column for a field; empty if the field is a constant.
func (t Table) Column(field string) string {
	if column, ok := t.Columns[field]; ok {
		return column
	}
	if _, ok := t.Constants[field]; ok || field == "" {
		return ""
	}
	return field
}

func (t Table) check(k Kind, keys core.KeyForms, report func(key, format string, args ...any)) {
	if schema, table, ok := strings.Cut(t.Table, "."); !ok || schema == "" || table == "" ||
		strings.Contains(table, ".") {
		report("table", "%q, want schema.table", t.Table)
	}
	fields := append(k.Fields(), k.Optional()...)
	for _, given := range []struct {
		key string
		m   map[string]string
	}{{"columns", t.Columns}, {"constants", t.Constants}} {
		for _, f := range slices.Sorted(maps.Keys(given.m)) {
			if !slices.Contains(fields, f) {
				report(given.key+"."+f, "no such field; a %s has %s (names and bodies are not copied)", k,
					strings.Join(fields, ", "))
			}
		}
	}
	for _, f := range fields {
		_, constant := t.Constants[f]
		if _, given := t.Columns[f]; slices.Contains(k.Optional(), f) && !given {
			continue
		}
		if t.Column(f) == "" && !constant {
			report("columns."+f, "is empty; name the column, or give a constant")
		}
	}
	for _, f := range slices.Sorted(maps.Keys(t.Constants)) {
		if err := t.checkConstant(k, keys, f); err != nil {
			report("constants."+f, "%v", err)
		}
	}
	for key, conditions := range t.conditions() {
		for i, condition := range conditions {
			if err := errors.Join(condition.check(), condition.checkTimed(k, key)); err != nil {
				report(fmt.Sprintf("%s[%d]", key, i), "%v", err)
			}
		}
	}
	t.checkValues(k, report)
	t.checkLabels(k, report)
	if len(t.HiddenWhen) > 0 && k != Post && k != User {
		report("hidden_when", "only users and posts can be hidden; use gone_when")
	}
	if k != Post {
		for key, list := range map[string][]Condition{
			"unlisted_when": t.UnlistedWhen, "followers_when": t.FollowersWhen, "mutuals_when": t.MutualsWhen,
			"members_when": t.MembersWhen, "direct_when": t.DirectWhen,
		} {
			if len(list) > 0 {
				report(key, "only posts have an audience")
			}
		}
	}
	if len(t.PrivateWhen) > 0 && k != User {
		report("private_when", "only users can be private")
	}
	if len(t.NoDiscoveryWhen) > 0 && k != User {
		report("no_discovery_when", "only users can opt out of being recommended; of posts it is unlisted_when")
	}
	if !slices.Contains([]envelope.Unit{"", envelope.Micros, envelope.Millis, envelope.Seconds, envelope.Days},
		t.TimeUnit) {
		report("time_unit", "%q, want us, ms, s or days", t.TimeUnit)
	}
	if _, err := time.LoadLocation(t.TimeZone); err != nil || t.TimeZone == "Local" {
		report("time_zone", "%q, want a name of the IANA time zone database, as Europe/Berlin", t.TimeZone)
	}
}

// conditions are all lists of conditions, by their key.
func (t Table) conditions() map[string][]Condition {
	all := map[string][]Condition{
		"only_when": t.OnlyWhen, "gone_when": t.GoneWhen, "hidden_when": t.HiddenWhen,
		"unlisted_when": t.UnlistedWhen, "followers_when": t.FollowersWhen, "mutuals_when": t.MutualsWhen,
		"members_when": t.MembersWhen, "direct_when": t.DirectWhen, "private_when": t.PrivateWhen,
		"no_discovery_when": t.NoDiscoveryWhen,
	}
	for i, rule := range t.Labels {
		if len(rule.When) > 0 {
			all[fmt.Sprintf("labels[%d].when", i)] = rule.When
		}
	}
	return all
}

func (t Table) checkConstant(k Kind, keys core.KeyForms, field string) error {
	if t.Column(field) != "" {
		return errors.New("is also in columns; keep one")
	}
	if field == fieldID {
		return errors.New("an id cannot be the same for every row")
	}
	var err error
	switch field {
	case fieldCreatedAt:
		_, err = time.Parse(time.RFC3339, t.Constants[field])
	case fieldValue:
		_, err = valueOf(t.Constants[field])
	case k.Layout().First, k.Layout().Other:
		_, err = k.formOf(field, keys).Parse(t.Constants[field])
	}
	return err
}

func (c Condition) check() error {
	set := 0
	for _, given := range []bool{len(c.In) > 0, len(c.NotIn) > 0, c.Is != ""} {
		if given {
			set++
		}
	}
	switch {
	case c.Column == "":
		return errors.New("column is empty")
	case set != 1:
		return errors.New("want exactly one of in, not_in and is")
	case c.Is != "" && !slices.Contains([]string{"null", "set", "true", "false", isPast, isFuture}, c.Is):
		return fmt.Errorf("is: %q, want null, set, true, false, past or future", c.Is)
	}
	return nil
}
