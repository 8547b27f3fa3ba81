package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	keys      core.KeyForms
	constants map[string]core.Key
	zone      *time.Location // nil: UTC
	value     int8           // of every like, where no column says it
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

func (s *Source) fill(row *Row, after envelope.Row) error {
	layout := s.Kind.Layout()
	first, err := s.named(layout.First, after)
	if err != nil {
		return err
	}
	other, err := s.named(layout.Other, after)
	if err != nil {
		return err
	}
	row.First, row.Other = row.learn(first), row.learn(other)
	if row.CreatedAt, err = s.time(after); err != nil {
		return err
	}
	if row.Hidden, err = anyOf(s.config.HiddenWhen, after); err != nil {
		return err
	}
	if row.Until, err = s.until(after); err != nil {
		return err
	}
	if row.Value, err = s.valueIn(after); err != nil {
		return err
	}
	if err = s.setLabels(row, after); err != nil {
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
	one, err := s.key(layout.First, key)
	if err != nil {
		return 0, 0
	}
	two, err := s.key(layout.Other, key)
	if err != nil {
		return 0, 0
	}
	return int64(one.ID), int64(two.ID)
}

func (s *Source) identified(key envelope.Row) (Row, error) {
	if s.Wide(key) {
		key = key.Only(s.idColumn)
	}
	text, err := RowKey(key)
	if err != nil || !s.Kind.Layout().ByID {
		return Row{Key: text}, err
	}
	own, err := s.key(fieldID, key)
	if err == nil && !own.ID.Valid() {
		err = envelope.Errorf(envelope.ReasonValue, "column %s: 0 names nobody: want another number", s.config.Column(fieldID))
	}
	row := Row{Key: text}
	row.ID = row.learn(own)
	return row, err
}

// named is the user or the post that a field of a row names. Null is no such user or post, as 0 is.
func (s *Source) named(field string, after envelope.Row) (core.Key, error) {
	if field == "" || !s.config.has(s.Kind, field) {
		return core.Key{}, nil
	}
	if key, ok := s.constants[field]; ok {
		return key, nil
	}
	if column := s.config.Column(field); after.Has(column) && after.IsNull(column) {
		return core.Key{}, nil
	}
	return s.key(field, after)
}

// key reads the column of a field as a key of the form that the app has.
func (s *Source) key(field string, from envelope.Row) (core.Key, error) {
	column, form := s.config.Column(field), s.Kind.formOf(field, s.keys)
	if form == core.IntegerKeys {
		n, err := from.Int(column)
		if id := core.ID(n); err != nil || !id.Derived() {
			return core.Key{ID: id}, err
		}
		return core.ParseKey(strconv.FormatInt(n, 10))
	}
	text, err := from.KeyText(column)
	if err != nil {
		return core.Key{}, err
	}
	key, err := form.Parse(text)
	if err != nil {
		return core.Key{}, envelope.Errorf(envelope.ReasonValue, "column %s: no key: %w", column, err).Quoting(text)
	}
	return key, nil
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

// MayReturn tells whether a row may be gone, hidden or not to be recommended, and come back without a deletion.
func (s *Source) MayReturn() bool {
	return len(s.config.OnlyWhen)+len(s.config.GoneWhen)+len(s.config.HiddenWhen)+len(s.config.NoDiscoveryWhen) > 0
}

// NeededColumns are the app's columns that rows of the kind are made from, sorted.
func (s *Source) NeededColumns() []string {
	needed := map[string]bool{}
	for _, f := range s.config.fields(s.Kind) {
		needed[s.config.Column(f)] = true
	}
	for _, list := range s.config.conditions() {
		for _, c := range list {
			needed[c.Column] = true
		}
	}
	for _, rule := range s.config.Labels {
		needed[rule.Column] = true
	}
	delete(needed, "")
	return slices.Sorted(maps.Keys(needed))
}

// ColumnKeys are the app's columns by the configuration's key that names them, below cdc.tables.<kind>.
func (s *Source) ColumnKeys() map[string]string {
	keys := map[string]string{}
	for _, field := range s.config.fields(s.Kind) {
		if column := s.config.Column(field); column != "" {
			keys["columns."+field] = column
		}
	}
	for name, list := range s.config.conditions() {
		for i, c := range list {
			keys[fmt.Sprintf("%s[%d].column", name, i)] = c.Column
		}
	}
	for i, rule := range s.config.Labels {
		if rule.Column != "" {
			keys[fmt.Sprintf("labels[%d].column", i)] = rule.Column
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
