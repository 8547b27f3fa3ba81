package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
)

// tables tells the feed's fallback how the app names what the CDC consumer copies.
func tables() fx.Option {
	return fx.Provide(func(cfg cdc.Config) graph.Tables { return tablesOf(cfg.Tables) })
}

func tablesOf(m mapping.Config) graph.Tables {
	return graph.Tables{
		Keys: m.Keys,
		Posts: graph.PostTable{
			Table: m.Post.Table, ID: m.Post.Column("id"), Author: m.Post.Column("author_id"),
			CreatedAt: m.Post.Column("created_at"), Visible: visible(m.Post),
			TimeUnit: string(m.Post.TimeUnit), Zone: m.Post.TimeZone, Audience: audience(m.Post),
			Mutuals: m.HasMutuals(), Group: m.Post.Columns["group_id"], LabelColumns: m.LabelColumns(),
			Labels: func(columns map[string]json.RawMessage) ([]string, error) {
				return m.LabelsOf(envelope.NewRow(columns))
			},
		},
		Users: graph.UserTable{
			Table: m.User.Table, ID: m.User.Column("id"), Absent: invisible(m.User), Private: private(m.User),
			NoDiscovery: noDiscovery(m.User),
		},
		Follows: edges(m.Follow, "follower_id", "followee_id"),
		Blocks:  edges(m.Block, "blocker_id", "blocked_id"),
		Mutes:   edges(m.Mute, "muter_id", "muted_id"),
		Members: edges(m.Member, "user_id", "group_id"),
		Hides:   edges(m.Hide, "user_id", "post_id"),
	}
}

func edges(t mapping.Table, from, to string) graph.EdgeTable {
	return graph.EdgeTable{Table: t.Table, From: t.Column(from), To: t.Column(to), When: alive(t)}
}

// visible is the SQL condition under which a post may be shown.
func visible(t mapping.Table) string { return unless(t, slices.Concat(t.GoneWhen, t.HiddenWhen)) }

// invisible is the SQL condition under which nobody is to see a user; empty: it depends on no column.
func invisible(t mapping.Table) string {
	if shown := visible(t); shown != "" {
		return "NOT (" + shown + ")"
	}
	return ""
}

// audience is the SQL expression for who may see a post; empty: everybody. What can be neither true nor false is
// direct, as the mapping has it.
func audience(t mapping.Table) string {
	all := slices.Concat(t.DirectWhen, t.MembersWhen, t.MutualsWhen, t.FollowersWhen, t.UnlistedWhen)
	cases := when(unreadable(t.Table, all), core.Direct) + when(either(t, t.DirectWhen), core.Direct) +
		when(either(t, t.MembersWhen), core.Members) + when(either(t, t.MutualsWhen), core.Mutuals) +
		when(either(t, t.FollowersWhen), core.Followers) +
		when(either(t, t.UnlistedWhen), core.Unlisted)
	if cases == "" {
		return ""
	}
	return "(CASE" + cases + " ELSE 0 END)"
}

func when(condition string, audience core.Audience) string {
	if condition == "" {
		return ""
	}
	return fmt.Sprintf(" WHEN %s THEN %d", condition, audience)
}

// private is the SQL condition under which an account is private; empty: never.
func private(t mapping.Table) string {
	return or(unreadable(t.Table, t.PrivateWhen), either(t, t.PrivateWhen))
}

// noDiscovery is the SQL condition under which a user is not to be recommended; empty: never.
func noDiscovery(t mapping.Table) string {
	return or(unreadable(t.Table, t.NoDiscoveryWhen), either(t, t.NoDiscoveryWhen))
}

// either is the SQL condition that one of some holds; empty: there is none.
func either(t mapping.Table, conditions []mapping.Condition) string {
	var parts []string
	for _, c := range conditions {
		parts = append(parts, holds(t, c))
	}
	return or(parts...)
}

// unreadable is the SQL condition that a flag is neither true nor false; empty: there is no flag.
func unreadable(table string, conditions []mapping.Condition) string {
	var parts []string
	for _, c := range conditions {
		if c.Is == "true" || c.Is == "false" {
			column := pgx.Identifier(append(strings.Split(table, "."), c.Column)).Sanitize()
			parts = append(parts, "coalesce("+column+"::text NOT IN ('true', 't', '1', 'false', 'f', '0', ''), false)")
		}
	}
	return or(parts...)
}

func or(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// alive is the SQL condition under which a row is of the kind and counts; empty: every row.
func alive(t mapping.Table) string { return unless(t, t.GoneWhen) }

func unless(t mapping.Table, not []mapping.Condition) string {
	var parts []string
	for _, c := range t.OnlyWhen {
		parts = append(parts, holds(t, c))
	}
	for _, c := range not {
		parts = append(parts, "NOT ("+holds(t, c)+")")
	}
	return strings.Join(parts, " AND ")
}

// holds is a condition of the mapping in SQL, never null.
func holds(t mapping.Table, c mapping.Condition) string {
	column := pgx.Identifier(append(strings.Split(t.Table, "."), c.Column)).Sanitize()
	switch {
	case len(c.In) > 0:
		return "coalesce(" + column + "::text IN (" + literals(c.In) + "), false)"
	case len(c.NotIn) > 0:
		return "coalesce(" + column + "::text NOT IN (" + literals(c.NotIn) + "), true)"
	case c.Is == "null":
		return column + " IS NULL"
	case c.Is == "set":
		return column + " IS NOT NULL"
	case c.Is == "true":
		return truth(column)
	case c.Is == "past":
		return "coalesce(" + graph.Instant(column, string(t.TimeUnit), t.TimeZone) + " <= now(), false)"
	case c.Is == "future":
		return "coalesce(" + graph.Instant(column, string(t.TimeUnit), t.TimeZone) + " > now(), false)"
	default:
		return "NOT " + truth(column)
	}
}

// truth reads a flag as the mapping does: it may be a boolean, a number or a text.
func truth(column string) string {
	return "coalesce(" + column + "::text IN ('true', 't', '1'), false)"
}

// literals quotes words of the configuration for SQL.
func literals(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", "''") + "'"
	}
	return strings.Join(quoted, ", ")
}
