package cdc

import (
	"strconv"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// lead is the last lead of the built-in source that wrote to a partition. A leader that was frozen may
// write when it wakes what was true before: its records are known by their lower number. Whatever of them
// was not in Kafka when it was replaced, its successor has written, here or later on.
type lead struct {
	system uint64 // numbers compare within one cluster
	number uint64
}

// late tells whether a record is of a leader that was replaced before it was written.
func (l lead) late(s envelope.Source) bool {
	return s.Lead != 0 && s.System == l.system && s.Lead < l.number
}

func (l *lead) advance(s envelope.Source) {
	if s.Lead != 0 {
		*l = lead{system: s.System, number: s.Lead}
	}
}

// mark is what is committed with an offset: the life of the topic that it belongs to, and the lead then.
type mark struct {
	topicID string
	lead    lead
}

func (m mark) String() string {
	if m.lead.number == 0 {
		return m.topicID
	}
	return m.topicID + " " + strconv.FormatUint(m.lead.system, 10) + " " + strconv.FormatUint(m.lead.number, 10)
}

// parseMark reads one; what does not say a lead has none.
func parseMark(text string) (m mark) {
	parts := strings.Split(text, " ")
	m.topicID = parts[0]
	if len(parts) != 3 {
		return m
	}
	system, err1 := strconv.ParseUint(parts[1], 10, 64)
	number, err2 := strconv.ParseUint(parts[2], 10, 64)
	if err1 == nil && err2 == nil {
		m.lead = lead{system: system, number: number}
	}
	return m
}
