package cdc

import (
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// NewSource makes the built-in source for the mapped tables. Of p the caller sets PostgreSQL, the clock,
// the log, the registerer and the failure.
func NewSource(cfg Config, k kafka.Config, p source.Params) (*source.Source, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	p.Config, p.Kafka, p.Name, p.Tables, p.Topic = cfg.Source, k, cfg.TopicPrefix, wantedTables(m), m.Topic
	return source.New(p), nil
}

// wantedTables are the mapped tables with the columns that their kinds are made from.
func wantedTables(m *mapping.Mapping) []source.Table {
	var all []source.Table
	for _, name := range m.Tables() {
		t := source.Table{Name: name, Key: m.KeyColumn(name)}
		for _, s := range m.Sources(name) {
			t.Columns = append(t.Columns, s.NeededColumns()...)
			if id := s.IDColumn(); id != "" {
				t.IDs = append(t.IDs, id)
			}
		}
		all = append(all, t)
	}
	return all
}
