package schema

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
)

// CheckSource tells what would keep the built-in source from reading the mapped tables: of the server, our role, the
// publication and the tables.
func CheckSource(ctx context.Context, db *pgxpool.Pool, cfg source.Config, tables mapping.Config) error {
	m, err := mapping.New(tables, "")
	if err != nil {
		return err
	}
	problems, err := source.Check(ctx, db, cfg, source.TablesOf(m))
	if err != nil {
		return err
	}
	var all []error
	for _, p := range problems {
		all = append(all, mismatch("cdc.source: %s", p))
	}
	return errors.Join(all...)
}

// secret are words in the name of a column that nobody but the app should have.
var secret = regexp.MustCompile(`(?i)passw|passphrase|token|secret|(^|_)hash(_|$)|[a-z]hash$|(^|_)salt(_|$)|api_?key|private_?key`)

// SecretColumns warns of mapped columns that look like a secret: they are copied to Kafka and to ClickHouse.
func SecretColumns(c mapping.Config) []string {
	m, err := mapping.New(c, "")
	if err != nil {
		return nil // others say so
	}
	var warnings []string
	for _, k := range mapping.Kinds() {
		s := m.Of(k)
		if s == nil {
			continue
		}
		keys := s.ColumnKeys()
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if secret.MatchString(keys[key]) {
				warnings = append(warnings,
					fmt.Sprintf("cdc.tables.%s.%s: column %s of %s looks like a secret, and would be copied to Kafka and ClickHouse: map another one", k, key, keys[key], s.Table))
			}
		}
	}
	return warnings
}

// someRows is how far rows are counted to say how many there are.
const someRows = 10_000

// CheckCounted warns where likes or comments would count from where there are none: an app that writes them to its own
// tables has them counted from there only if that is set.
func CheckCounted(ctx context.Context, db *pgxpool.Pool, c mapping.Config, from core.CountedFrom) (warnings []string,
	err error,
) {
	m, err := mapping.New(c, "")
	if err != nil {
		return nil, err
	}
	for _, one := range []struct {
		kind       mapping.Kind
		key, value string
	}{
		{mapping.Like, "engagement.likes_from", from.Likes},
		{mapping.Comment, "engagement.comments_from", from.Comments},
	} {
		s := m.Of(one.kind)
		if s == nil {
			if one.value == "cdc" {
				warnings = append(warnings,
					fmt.Sprintf("%s is cdc, but cdc.tables.%s.table is empty: no %s counts; name the table, or set events", one.key, one.kind, one.kind))
			}
			continue
		}
		var rows int
		if err := db.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s LIMIT %d) AS few", quoted(s.Table),
			someRows+1)).Scan(&rows); err != nil {
			return nil, fmt.Errorf("rows of %s: %w", s.Table, err)
		}
		many := fmt.Sprint(rows)
		if rows > someRows {
			many = fmt.Sprintf("more than %d", someRows)
		}
		switch {
		case rows > 0 && one.value == "events":
			warnings = append(warnings,
				fmt.Sprintf("%s is events, so the %s rows of %s count as none: set %s=cdc where the app writes its %ss to that table", one.key, many, s.Table, one.key, one.kind))
		case rows == 0 && one.value == "cdc":
			warnings = append(warnings,
				fmt.Sprintf("%s is cdc, but %s is empty: where clients send %ss as events and the app writes none to that table, set %s=events", one.key, s.Table, strings.ToLower(one.kind.String()), one.key))
		}
	}
	return warnings, nil
}
