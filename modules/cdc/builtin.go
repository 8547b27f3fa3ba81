package cdc

import (
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
	p.Config, p.Kafka, p.Name, p.Tables, p.Topic = cfg.Source, k, cfg.TopicPrefix, m.Tables(), m.Topic
	return source.New(p), nil
}
