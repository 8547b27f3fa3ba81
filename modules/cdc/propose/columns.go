package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
)

// named is the column that one of these names fits best, among those that are allowed.
func named(t schema.Described, list []string, allowed func(column string) bool) string {
	best, place := "", 0
	for _, c := range t.Columns {
		if i := wordIn(list, c); i >= 0 && allowed(c) && (best == "" || i < place) {
			best, place = c, i
		}
	}
	return best
}

// exact is the column of one of these names, whatever its case.
func exact(t schema.Described, list []string, allowed func(column string) bool) string {
	for _, name := range list {
		for _, c := range t.Columns {
			if plain(c) == name && allowed(c) {
				return c
			}
		}
	}
	return ""
}

// reference is the column that refers to a table with keys of a form: by its foreign key, or by its name.
func reference(t schema.Described, target string, keys core.KeyForm, list []string) (column, why string) {
	byKey := func(c string) bool { return target != "" && t.References[c] == target && holds(t, c, keys) }
	if column = named(t, list, byKey); column == "" {
		for _, c := range t.Columns {
			if byKey(c) {
				column = c
				break
			}
		}
	}
	if column != "" {
		return column, fmt.Sprintf("by foreign key %s -> %s", column, target)
	}
	column = named(t, list, func(c string) bool { return holds(t, c, keys) && t.References[c] == "" })
	return column, "by name " + column
}

// people are the two columns of a table that joins people: who, and whom.
func people(t schema.Described, users string, keys core.KeyForm) (first, other, why string) {
	isPerson := func(c string) bool {
		return holds(t, c, keys) && (t.References[c] == users || (t.References[c] == "" && plain(c) != "id" &&
			(wordIn(authorWords, c) >= 0 || wordIn(firstWords, c) >= 0 || wordIn(otherWords, c) >= 0)))
	}
	first = named(t, firstWords, isPerson)
	other = named(t, otherWords, func(c string) bool { return isPerson(c) && c != first })
	if first == "" {
		first = named(t, authorWords, func(c string) bool { return isPerson(c) && c != other })
	}
	if other == "" {
		other = named(t, authorWords, func(c string) bool { return isPerson(c) && c != first })
	}
	if first == "" || other == "" {
		return "", "", ""
	}
	why = "by name"
	if t.References[first] == users && t.References[other] == users {
		why = "by foreign keys to " + users
	}
	return first, other, fmt.Sprintf("%s, %s %s", first, other, why)
}

// setTime names the time column of a table, and how its values are read; false: it has none.
func (c *candidate) setTime(zone string) bool {
	t, m := c.table, &c.mapped
	column := exact(t, timeNames, func(name string) bool {
		switch t.OIDs[name] {
		case pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID:
			return true
		}
		_, sampled := t.Samples[name]
		return sampled
	})
	if column == "" {
		return false
	}
	m.Columns["created_at"] = column
	switch t.OIDs[column] {
	case pgtype.TimestamptzOID:
	case pgtype.DateOID:
		m.TimeUnit = envelope.Days
		c.reasons = append(c.reasons, column+" is a date")
	case pgtype.TimestampOID:
		c.setZone(column, zone)
	default:
		m.TimeUnit = unitOf(t.Samples[column])
		c.reasons = append(c.reasons, fmt.Sprintf("%s counts %s: a row has %d", column, m.TimeUnit, t.Samples[column]))
	}
	return true
}

// setZone says how local times are read, which their column does not tell.
func (c *candidate) setZone(column, zone string) {
	if zone == "" || slices.Contains([]string{"utc", "gmt", "etc/utc"}, strings.ToLower(zone)) {
		c.asked = append(c.asked, column+" has no zone: read as UTC; set time_zone if the app writes local time")
		return
	}
	c.mapped.TimeZone = zone
	c.asked = append(c.asked, fmt.Sprintf("%s has no zone: read as %s, the database's; set time_zone to UTC if the app "+
		"writes that", column, zone))
}

// unitOf is what a number counts that stands for a time since 1970 of our days.
func unitOf(n int64) envelope.Unit {
	switch {
	case n < 100_000:
		return envelope.Days
	case n < 100_000_000_000:
		return envelope.Seconds
	case n < 100_000_000_000_000:
		return envelope.Millis
	}
	return envelope.Micros
}

// gone are the conditions for rows that are deleted, but still there.
func gone(t schema.Described) (conditions []mapping.Condition) {
	for _, c := range t.Columns {
		switch name := plain(c); {
		case slices.Contains(goneTimes, name):
			conditions = append(conditions, mapping.Condition{Column: c, Is: "set"})
		case slices.Contains(goneFlags, name) && t.IsFlag(c):
			conditions = append(conditions, mapping.Condition{Column: c, Is: "true"})
		}
	}
	return conditions
}
