package schema

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
)

// IntegerKey are the integers that the table's key begins with, which both databases order alike, and their places in
// the text of the key in our copy, from 1; of a kind that is kept by its id, that alone, and no place.
func (a AppTable) IntegerKey() (columns []string, places []int) {
	if id := a.source.IDColumn(); id != "" {
		return []string{id}, nil
	}
	sorted := a.shape.sortedKey()
	for _, c := range a.shape.key {
		if oid := a.shape.oids[c]; oid != pgtype.Int2OID && oid != pgtype.Int4OID && oid != pgtype.Int8OID {
			break
		}
		columns = append(columns, c)
		places = append(places, slices.Index(sorted, c)+1)
	}
	return columns, places
}

// keyValues are the key columns' values as text, from the key of our copy.
func (a AppTable) keyValues(key string) (map[string]string, error) {
	values := map[string]string{}
	if id := a.source.IDColumn(); id != "" {
		values[id] = key
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
func (a AppTable) RecordKey(key string) ([]byte, error) {
	values, err := a.keyValues(key)
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
