package consumer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// rejectedRun is how many records of a table are refused one after the other until that is no accident: the table, its
// connector or its mapping is not what it should be, and nothing of it is copied. Where none was ever taken, fewer do.
const (
	rejectedRun   = 20
	rejectedFirst = 3
)

// rejects counts, by table, the records that were refused since the last one that was not.
type rejects struct {
	mu     sync.Mutex
	tables map[string]*rejected
	said   map[string]bool // what was logged, which is once
	fails  *prometheus.GaugeVec
	log    *zap.Logger
}

type rejected struct {
	run   int
	taken bool // one ever was
	last  error
}

// all tells whether everything of the table is refused.
func (t *rejected) all() bool { return t.run >= rejectedRun || (!t.taken && t.run >= rejectedFirst) }

func newRejects(fails *prometheus.GaugeVec, log *zap.Logger) *rejects {
	return &rejects{tables: map[string]*rejected{}, said: map[string]bool{}, fails: fails, log: log}
}

// strictest says, once of a table, that nobody is shown what may be for somebody.
func (r *rejects) strictest(table, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.said[table] {
		r.said[table] = true
		r.log.Warn("who may see a row cannot be told, so as few as can be do; feedrank_cdc_audience_unknown_total counts",
			zap.String("table", table), zap.String("why", why))
	}
}

// refused notes that a record became a dead letter, and logs the first of each reason.
func (r *rejects) refused(table string, m *sarama.ConsumerMessage, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.table(table)
	t.run++
	t.last = envelope.WithoutValue(err) // readiness tells it
	if t.all() {
		r.fails.WithLabelValues(table).Set(1)
	}
	if key := table + " " + envelope.ReasonOf(err); !r.said[key] {
		r.said[key] = true
		r.log.Error("a record became a dead letter; feedrank_cdc_dead_letters_total counts those that follow, "+
			"`feedrank dlq list --queue cdc` shows them", zap.String("table", table), zap.Int32("partition", m.Partition),
			zap.Int64("offset", m.Offset), zap.Error(t.last))
	}
}

func (r *rejects) accepted(table string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.table(table)
	if t.all() {
		r.fails.WithLabelValues(table).Set(0)
	}
	t.run, t.taken = 0, true
}

func (r *rejects) table(name string) *rejected {
	t := r.tables[name]
	if t == nil {
		t = &rejected{}
		r.tables[name] = t
	}
	return t
}

// probe tells of tables whose records are all refused.
func (r *rejects) probe() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []error
	for _, name := range slices.Sorted(maps.Keys(r.tables)) {
		if t := r.tables[name]; t.all() {
			all = append(all, fmt.Errorf("table %s: the last %d records became dead letters, and none was copied: %w",
				name, t.run, t.last))
		}
	}
	return errors.Join(all...)
}
