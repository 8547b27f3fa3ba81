package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
)

// Source turns the changes of one table into rows of one kind.
type Source struct {
	Kind      Kind
	Table     string // schema.table
	config    Table
	idColumn  string    // the column that names the table's rows by itself; empty: its whole key does
	createdAt time.Time // the constant, if there is one
	constants map[string]int64
	zone      *time.Location // nil: UTC
}

// Key is under which of the columns of its primary key a row is kept.
func (s *Source) Key(primary []string) []string {
	if slices.Contains(primary, s.idColumn) {
		return []string{s.idColumn}
	}
	return primary
}

// Wide tells whether a key has more than what the row is kept by: then changes of one row may be in several
// partitions, and the log has no order for them.
func (s *Source) Wide(key envelope.Row) bool {
	return s.idColumn != "" && len(key.Columns()) > 1 && key.Has(s.idColumn)
}

// Row maps a record's row after the change, or what its key tells of a deleted one.
func (s *Source) Row(record envelope.Record) (Row, error) {
	if record.Op == envelope.Delete {
		return s.Deleted(record.Key)
	}
	return s.Alive(record.Key, record.After)
}

// Deleted is what is known of a deleted row: its key. Other columns of a delete are made up.
func (s *Source) Deleted(key envelope.Row) (Row, error) {
	row, err := s.identified(key)
	row.Gone = true
	return row, err
}

// Alive maps a row. Its key may come from another place than the row, so it is given apart.
func (s *Source) Alive(key, after envelope.Row) (Row, error) {
	row, err := s.identified(key)
	if err != nil {
		return Row{}, err
	}
	belongs, err := all(s.config.OnlyWhen, after)
	if err != nil {
		return Row{}, err
	}
	gone, err := anyOf(s.config.GoneWhen, after)
	if err != nil {
		return Row{}, err
	}
	if row.Gone = gone || !belongs; row.Gone && !belongs {
		return row, nil // its columns mean something else
	}
	return row, s.fill(&row, after)
}

func (s *Source) fill(row *Row, after envelope.Row) (err error) {
	layout := s.Kind.Layout()
	if row.First, err = s.id(layout.First, after); err != nil {
		return err
	}
	if row.Other, err = s.id(layout.Other, after); err != nil {
		return err
	}
	if row.CreatedAt, err = s.time(after); err != nil {
		return err
	}
	if row.Hidden, err = anyOf(s.config.HiddenWhen, after); err != nil {
		return err
	}
	return s.setAudience(row, after)
}

// Pair is what a key says of First and Other where it consists of both: then there is one row of a pair,
// and if it is gone, so is what it said. Else it is zeros.
func (s *Source) Pair(key envelope.Row) (first, other int64) {
	layout := s.Kind.Layout()
	a, b := s.config.Column(layout.First), s.config.Column(layout.Other)
	if a == "" || b == "" || a == b || len(key.Columns()) != 2 {
		return 0, 0
	}
	first, err := key.Int(a)
	if err != nil {
		return 0, 0
	}
	other, err = key.Int(b)
	if err != nil {
		return 0, 0
	}
	return first, other
}

func (s *Source) identified(key envelope.Row) (Row, error) {
	if s.Wide(key) {
		key = key.Only(s.idColumn)
	}
	text, err := RowKey(key)
	if err != nil || !s.Kind.Layout().ByID {
		return Row{Key: text}, err
	}
	column := s.config.Column(fieldID)
	id, err := key.Int(column)
	if err == nil && !core.ID(id).Valid() {
		err = envelope.Errorf(envelope.ReasonValue, "column %s: %d is not an id: want 1 to 9223372036854775807", column,
			id)
	}
	return Row{Key: text, ID: id}, err
}

func (s *Source) id(field string, after envelope.Row) (int64, error) {
	if field == "" {
		return 0, nil
	}
	if n, ok := s.constants[field]; ok {
		return n, nil
	}
	column := s.config.Column(field)
	if after.Has(column) && after.IsNull(column) {
		return 0, nil // no such user or post: stored as 0, which names nobody
	}
	return after.Int(column)
}

// Time is the app's column of created_at, empty if it is a constant, and how its values are read.
func (s *Source) Time() (column, unit, zone string) {
	return s.config.Column(fieldCreatedAt), string(s.config.TimeUnit), s.config.TimeZone
}

func (s *Source) time(after envelope.Row) (time.Time, error) {
	column := s.config.Column(fieldCreatedAt)
	if column == "" {
		return s.createdAt, nil
	}
	return after.TimeIn(column, s.config.TimeUnit, s.zone)
}

func parseID(s string) (int64, error) {
	id, err := core.ParseID(s)
	if err != nil {
		return 0, errors.New("want a decimal integer from 1 to 9223372036854775807")
	}
	return int64(id), nil
}

// MayReturn tells whether a row may be gone or hidden, and come back without having been deleted.
func (s *Source) MayReturn() bool {
	return len(s.config.OnlyWhen)+len(s.config.GoneWhen)+len(s.config.HiddenWhen) > 0
}

// NeededColumns are the app's columns that rows of the kind are made from, sorted.
func (s *Source) NeededColumns() []string {
	needed := map[string]bool{}
	for _, f := range s.Kind.Fields() {
		needed[s.config.Column(f)] = true
	}
	for _, list := range s.config.conditions() {
		for _, c := range list {
			needed[c.Column] = true
		}
	}
	delete(needed, "")
	return slices.Sorted(maps.Keys(needed))
}

// ColumnKeys are the app's columns by the configuration's key that names them, below cdc.tables.<kind>.
func (s *Source) ColumnKeys() map[string]string {
	keys := map[string]string{}
	for _, field := range s.Kind.Fields() {
		if column := s.config.Column(field); column != "" {
			keys["columns."+field] = column
		}
	}
	for name, list := range s.config.conditions() {
		for i, c := range list {
			keys[fmt.Sprintf("%s[%d].column", name, i)] = c.Column
		}
	}
	return keys
}

// IDColumn is the app's column that names the row; empty for kinds that are kept by their key.
func (s *Source) IDColumn() string {
	if !s.Kind.Layout().ByID {
		return ""
	}
	return s.config.Column(fieldID)
}
