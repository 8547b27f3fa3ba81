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

// Mapping is a valid Config, ready to use.
type Mapping struct {
	topicPrefix string
	byTable     map[string][]*Source
	tables      []string
}

// New validates and prepares a Config. The topic of a table is <topicPrefix>.<schema>.<table>.
func New(c Config, topicPrefix string) (*Mapping, error) {
	if wrong := c.Check(); len(wrong) > 0 {
		var problems []error
		for _, key := range slices.Sorted(maps.Keys(wrong)) {
			problems = append(problems, fmt.Errorf("cdc.tables.%s: %s", key, wrong[key]))
		}
		return nil, errors.Join(problems...)
	}
	m := &Mapping{topicPrefix: topicPrefix, byTable: map[string][]*Source{}}
	for _, k := range Kinds() {
		t := c.Of(k)
		if t.Table == "" {
			continue
		}
		s := &Source{Kind: k, Table: t.Table, config: t, keys: c.Keys, constants: map[string]core.Key{}}
		if t.TimeZone != "" {
			s.zone, _ = time.LoadLocation(t.TimeZone) // it was checked
		}
		if k == Like {
			s.value = 1
		}
		for field, value := range t.Constants {
			switch field {
			case fieldValue:
				s.value, _ = valueOf(value) // it was checked
			case fieldCreatedAt:
				s.createdAt, _ = time.Parse(time.RFC3339, value)
				s.createdAt = envelope.Clamp(s.createdAt)
			case k.Layout().First, k.Layout().Other:
				s.constants[field], _ = k.formOf(field, c.Keys).Parse(value)
			}
		}
		if len(m.byTable[t.Table]) == 0 {
			m.tables = append(m.tables, t.Table)
		}
		m.byTable[t.Table] = append(m.byTable[t.Table], s)
	}
	for _, sources := range m.byTable {
		id := idOf(sources)
		for _, s := range sources {
			s.idColumn = id
		}
	}
	return m, nil
}

// idOf is the column that names a table's users or posts, and so every row of it, whatever else its primary key
// has: a partitioned table's must have more. Empty if it holds neither.
func idOf(sources []*Source) (id string) {
	for _, s := range sources {
		switch own := s.IDColumn(); {
		case own == "":
		case id == "":
			id = own
		case id != own:
			return ""
		}
	}
	return id
}

// KeyColumn is the column by which a table's changes are keyed; empty: by its whole primary key.
func (m *Mapping) KeyColumn(table string) string {
	for _, s := range m.byTable[table] {
		return s.idColumn
	}
	return ""
}

// Tables are the app's tables that are mapped: those that others refer to first, so that a snapshot
// in this order finds a post's author before the post.
func (m *Mapping) Tables() []string { return slices.Clone(m.tables) }

// Topic is the topic of a table's changes, as Debezium names it.
func (m *Mapping) Topic(table string) string { return m.topicPrefix + "." + table }

// Topics are the topics of all tables.
func (m *Mapping) Topics() []string {
	all := make([]string, len(m.tables))
	for i, t := range m.tables {
		all[i] = m.Topic(t)
	}
	return all
}

// TableOf is the table whose changes a topic carries; empty for a foreign topic.
func (m *Mapping) TableOf(topic string) string {
	table, ok := strings.CutPrefix(topic, m.topicPrefix+".")
	if !ok || len(m.byTable[table]) == 0 {
		return ""
	}
	return table
}

// Sources are the kinds that a table's rows may be.
func (m *Mapping) Sources(table string) []*Source { return m.byTable[table] }

// Of finds the source of a kind; nil if it is not mapped.
func (m *Mapping) Of(k Kind) *Source {
	for _, sources := range m.byTable {
		for _, s := range sources {
			if s.Kind == k {
				return s
			}
		}
	}
	return nil
}

// SplitTable parts a table's full name.
func SplitTable(full string) (schema, name string) {
	schema, name, _ = strings.Cut(full, ".")
	return schema, name
}
