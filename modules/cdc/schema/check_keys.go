package schema

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// keyType is what a column that holds keys is.
type keyType struct {
	Column    string
	OID       uint32 // below a domain
	Type      string // as SQL writes it
	Collation string // by which texts compare
	Exact     bool   // texts are the same only if their bytes are
}

// readKeyTypes asks what the columns of a table are that hold keys.
func readKeyTypes(ctx context.Context, db *pgxpool.Pool, s *mapping.Source) (map[string]keyType, error) {
	var columns []string
	for _, r := range s.Refers() {
		columns = append(columns, r.Column)
	}
	schema, name := mapping.SplitTable(s.Table)
	rows, err := db.Query(ctx, sql.Postgres("cdc_key_types"), schema, name, columns)
	if err != nil {
		return nil, fmt.Errorf("types of keys of %s: %w", s.Table, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[keyType])
	if err != nil {
		return nil, fmt.Errorf("types of keys of %s: %w", s.Table, err)
	}
	types := map[string]keyType{}
	for _, t := range found {
		types[t.Column] = t
	}
	return types, nil
}

// wholeNumber is a numeric that has no decimals.
var wholeNumber = regexp.MustCompile(`^numeric\([0-9]+(,0)?\)$`)

// family are types that PostgreSQL compares with each other; empty: no key of any form.
func (k keyType) family() string {
	switch k.OID {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return "integer"
	case pgtype.NumericOID:
		if wholeNumber.MatchString(k.Type) {
			return "integer"
		}
	case pgtype.UUIDOID:
		return "uuid"
	case pgtype.TextOID, pgtype.VarcharOID:
		return "text"
	}
	return ""
}

// form is the form of keys that a column of this type has; empty: it has none.
func (k keyType) form() core.KeyForm {
	switch f := k.family(); {
	case f == "integer":
		return core.IntegerKeys
	case f == "uuid":
		return core.UUIDKeys
	case f == "text" && k.Exact:
		return core.TextKeys
	}
	return ""
}

// holds tells whether keys of a form can be read from the column. Likes and comments are in no query of the app's
// tables, so that theirs may be texts of whatever form.
func (k keyType) holds(form core.KeyForm, kind mapping.Kind) bool {
	switch have := k.form(); {
	case have == form, have != "" && form == core.TextKeys:
		return true
	case k.OID == pgtype.NumericOID:
		return form == core.IntegerKeys
	default:
		return have == core.TextKeys && kind.Counted()
	}
}

// unfit says why no key can be read from the column, and what to do.
func (k keyType) unfit() string {
	switch {
	case k.family() == "text":
		return fmt.Sprintf("its collation %s takes different texts for the same key: ALTER COLUMN %s TYPE text COLLATE \"C\"",
			k.Collation, k.Column)
	case k.OID == pgtype.BPCharOID:
		return fmt.Sprintf("PostgreSQL fills it up with blanks, which are no part of the key: ALTER COLUMN %s TYPE text", k.Column)
	case k.OID == pgtype.NumericOID:
		return fmt.Sprintf("it may have decimals, and 1 and 1.0 would be two keys: ALTER COLUMN %s TYPE bigint, or numeric(20,0)",
			k.Column)
	case strings.HasSuffix(k.Type, "citext"):
		return fmt.Sprintf("it takes upper and lower case for the same key: ALTER COLUMN %s TYPE text", k.Column)
	}
	return fmt.Sprintf("keys are integers, uuid, text or varchar: map another column than %s, or change its type", k.Column)
}

// settingOf names the setting that says what keys of a kind look like.
func settingOf(k mapping.Kind) string { return "keys." + k.String() + "s" }

// keyMismatches tells which columns do not hold what the setting keys says, or nothing that can be a key.
func keyMismatches(s *mapping.Source, types map[string]keyType) (found []error) {
	for _, r := range s.Refers() {
		k, ok := types[r.Column]
		if !ok {
			continue // somebody else says that it is not there
		}
		have, want := k.form(), s.Form(r.Field)
		switch {
		case k.holds(want, s.Kind):
		case have == "":
			found = append(found, mismatch("cdc.tables.%s.columns.%s: %s of %s is %s, which cannot be a key: %s",
				s.Kind, r.Field, r.Column, s.Table, k.Type, k.unfit()))
		default:
			found = append(found, mismatch("cdc.tables.%s.columns.%s: %s of %s is %s, and %s is %s: set %s to %s", s.Kind,
				r.Field, r.Column, s.Table, k.Type, settingOf(r.To), want, settingOf(r.To), have))
		}
	}
	return found
}

// keyed is a column that holds keys, and what it is.
type keyed struct {
	source *mapping.Source
	mapping.Refers
	keyType
}

// misfits tells which columns hold keys of another type than the column that they refer to, which PostgreSQL does not
// compare.
func misfits(all []keyed) map[*mapping.Source][]error {
	found := map[*mapping.Source][]error{}
	for _, k := range all {
		if k.source.Kind.Counted() {
			continue // in no query of the app's tables
		}
		var to *keyed
		for i := range all {
			t := &all[i]
			own := t.source.Kind == k.To && t.Field == "id"
			if t.To == k.To && !t.source.Kind.Counted() && (to == nil || own) {
				to = t
			}
		}
		if to.family() == "" || k.family() == "" || k.family() == to.family() && k.Collation == to.Collation {
			continue
		}
		collation := ""
		if k.family() == to.family() {
			collation = fmt.Sprintf(" (collations %s and %s)", k.Collation, to.Collation)
		}
		found[k.source] = append(found[k.source], mismatch(
			"cdc.tables.%s.columns.%s: %s of %s is %s, and %s of %s, whose keys it holds, is %s%s: PostgreSQL does not compare them; give both one type",
			k.source.Kind, k.Field, k.Refers.Column, k.source.Table, k.Type, to.Refers.Column, to.source.Table, to.Type,
			collation))
	}
	return found
}
