package propose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// YAML writes the proposal as the keys engagement, keys and cdc of a configuration file.
func (p Proposal) YAML() string {
	var b strings.Builder
	if keys := p.Tables.Keys; keys != (core.KeyForms{
		Users: core.IntegerKeys, Posts: core.IntegerKeys, Groups: core.IntegerKeys,
	}) {
		fmt.Fprintf(&b, "keys: # what the keys of users and posts are\n  users: %s\n  posts: %s\n", keys.Users, keys.Posts)
		if p.Tables.Member.Table != "" {
			fmt.Fprintf(&b, "  groups: %s\n", keys.Groups)
		}
	}
	fmt.Fprintf(&b, "engagement: # cdc: the app's table has rows; events: it is empty or missing\n")
	fmt.Fprintf(&b, "  likes_from: %s\n  comments_from: %s\n", p.Counted.Likes, p.Counted.Comments)
	b.WriteString("cdc:\n  tables:\n")
	for _, one := range []struct {
		kind  mapping.Kind
		table mapping.Table
	}{
		{mapping.User, p.Tables.User},
		{mapping.Post, p.Tables.Post},
		{mapping.Follow, p.Tables.Follow},
		{mapping.Comment, p.Tables.Comment},
		{mapping.Like, p.Tables.Like},
		{mapping.Block, p.Tables.Block},
		{mapping.Mute, p.Tables.Mute},
		{mapping.Member, p.Tables.Member},
		{mapping.Hide, p.Tables.Hide},
	} {
		for _, reason := range p.Reasons[one.kind] {
			b.WriteString("    # " + Line(reason) + "\n")
		}
		fmt.Fprintf(&b, "    %s:\n", one.kind)
		writeTable(&b, one.kind, one.table)
	}
	return b.String()
}

func writeTable(b *strings.Builder, k mapping.Kind, t mapping.Table) {
	if t.Table == "" {
		b.WriteString("      table: \"\"\n")
		return
	}
	fmt.Fprintf(b, "      table: %s\n", plainScalar(t.Table))
	writeMap(b, "columns", t.Columns)
	writeMap(b, "constants", t.Constants)
	writeValues(b, t.Values)
	writeConditions(b, "only_when", t.OnlyWhen)
	writeConditions(b, "gone_when", t.GoneWhen)
	writeConditions(b, "hidden_when", t.HiddenWhen)
	writeConditions(b, "private_when", t.PrivateWhen)
	writeConditions(b, "no_discovery_when", t.NoDiscoveryWhen)
	writeConditions(b, "members_when", t.MembersWhen)
	writeLabels(b, t.Labels)
	if k == mapping.Post && len(t.HiddenWhen) == 0 {
		b.WriteString("      hidden_when: []\n") // else the default's would hold
	}
	if t.TimeUnit != "" {
		fmt.Fprintf(b, "      time_unit: %s\n", t.TimeUnit)
	}
	if t.TimeZone != "" {
		fmt.Fprintf(b, "      time_zone: %s\n", plainScalar(t.TimeZone))
	}
}

func writeMap(b *strings.Builder, key string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, field+": "+plainScalar(m[field]))
	}
	fmt.Fprintf(b, "      %s: {%s}\n", key, strings.Join(parts, ", "))
}

func writeValues(b *strings.Builder, values map[string]int) {
	if len(values) == 0 {
		return
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%s: %d", plainScalar(kind), values[kind]))
	}
	fmt.Fprintf(b, "      values: {%s}\n", strings.Join(parts, ", "))
}

func writeConditions(b *strings.Builder, key string, list []mapping.Condition) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "      %s:\n", key)
	for _, c := range list {
		what := "is: " + plainScalar(c.Is)
		if len(c.In) > 0 {
			var values []string
			for _, v := range c.In {
				values = append(values, plainScalar(v))
			}
			what = "in: [" + strings.Join(values, ", ") + "]"
		}
		fmt.Fprintf(b, "        - {column: %s, %s}\n", plainScalar(c.Column), what)
	}
}

var (
	needsNoQuotes = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	means         = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)
)

// plainScalar is a text as YAML reads it back, quoted where it must be.
func plainScalar(s string) string {
	if needsNoQuotes.MatchString(s) && !means.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// Line keeps foreign names from ending a comment.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}
