package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
	"github.com/feedrank/feedrank/modules/core"
)

// Texts are the keys of numbers that were derived from them, as far as they are known.
type Texts map[core.ID]string

// Note adds keys of a row.
func (t Texts) Note(keys []core.Key) {
	for _, k := range keys {
		t[k.ID] = k.Text
	}
}

// Of is the key of a number, if it was derived.
func (t Texts) Of(number int64) []core.Key {
	if text, ok := t[core.ID(number)]; ok {
		return []core.Key{{ID: core.ID(number), Text: text}}
	}
	return nil
}

// integerTypes are the types whose values both databases order alike.
var integerTypes = []uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID}

// IntegerKey are the integers that the table's key begins with, which both databases order alike, and their places in
// the text of the key in our copy, from 1; of a kind that is kept by its id, that alone, and no place. Ids that are no
// integers, or beyond those that are their own numbers, have no order in common.
func (a AppTable) IntegerKey(ctx context.Context) (columns []string, places []int, err error) {
	if id := a.source.IDColumn(); id != "" {
		if !slices.Contains(append(integerTypes, pgtype.NumericOID), a.shape.oids[id]) {
			return nil, nil, nil
		}
		beyond, err := a.beyond(ctx, id)
		if beyond || err != nil {
			return nil, nil, err
		}
		return []string{id}, nil, nil
	}
	sorted := a.shape.sortedKey()
	for _, c := range a.shape.key {
		if !slices.Contains(integerTypes, a.shape.oids[c]) {
			break
		}
		columns = append(columns, c)
		places = append(places, slices.Index(sorted, c)+1)
	}
	return columns, places, nil
}

// beyond tells whether a column has an integer that is not its own number.
func (a AppTable) beyond(ctx context.Context, column string) (found bool, err error) {
	name := pgx.Identifier{column}.Sanitize()
	err = a.begin(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM %[1]s WHERE %[2]s >= %[3]d) OR EXISTS (SELECT FROM %[1]s WHERE %[2]s <= -%[3]d)",
			quoted(a.source.Table), name, int64(1)<<62)).Scan(&found)
	})
	if err != nil {
		return false, fmt.Errorf("ids of %s: %w", a.source.Table, err)
	}
	return found, nil
}

// ErrUnnamed is of a number whose key nobody knows.
var ErrUnnamed = errors.New("the key of a number is not known")

// keyValues are the key columns' values as text, from the key of our copy.
func (a AppTable) keyValues(key string, texts Texts) (map[string]string, error) {
	values := map[string]string{}
	if id := a.source.IDColumn(); id != "" {
		n, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", a.source.Table, err)
		}
		if !core.ID(n).Derived() {
			values[id] = key
			return values, nil
		}
		text, ok := texts[core.ID(n)]
		if !ok {
			return nil, fmt.Errorf("%s of %s: %w", key, a.source.Table, ErrUnnamed)
		}
		values[id] = text
		return values, nil
	}
	names, parts := a.shape.sortedKey(), strings.Split(key, ":")
	if len(names) != len(parts) {
		return nil, fmt.Errorf("key %s of %s does not have the columns %v: was the primary key changed?", key,
			a.source.Table, names)
	}
	for i, name := range names {
		text, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, fmt.Errorf("key %s of %s: %w", key, a.source.Table, err)
		}
		values[name] = text
	}
	return values, nil
}

// RecordKey writes the record's key as the source does, from the key of our copy: the same bytes go to the
// same partition.
func (a AppTable) RecordKey(key string, texts Texts) ([]byte, error) {
	values, err := a.keyValues(key, texts)
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for i, c := range a.shape.key {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		out = append(append(out, name...), ':')
		switch a.shape.oids[c] {
		case pgtype.TimestampOID, pgtype.DateOID, pgtype.TimeOID: // numbers already
			out = append(out, values[c]...)
		default:
			out = append(out, pgvalue.JSON(a.shape.oids[c], []byte(values[c]))...)
		}
	}
	return append(out, '}'), nil
}

// keyJSON is a column of a key as records have it: their times are numbers.
func (t shape) keyJSON(column string, text []byte) json.RawMessage {
	if t.millis[column] && text != nil {
		return pgvalue.AppendMillis(nil, t.oids[column], text)
	}
	return pgvalue.JSON(t.oids[column], text)
}
