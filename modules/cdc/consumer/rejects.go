package consumer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.uber.org/zap"
)

// rejectedRun is how many records of a table are refused one after the other until that is no accident: the table, its
// connector or its mapping is not what it should be, and nothing of it is copied.
const rejectedRun = 20

// rejects counts, by table, the records that were refused since the last one that was not.
type rejects struct {
	mu     sync.Mutex
	tables map[string]*rejected
	said   map[string]bool // tables of which an audience could not be told
	log    *zap.Logger
}

type rejected struct {
	run  int
	last error
}

func newRejects(log *zap.Logger) *rejects {
	return &rejects{tables: map[string]*rejected{}, said: map[string]bool{}, log: log}
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

func (r *rejects) refused(table string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tables[table]
	if t == nil {
		t = &rejected{}
		r.tables[table] = t
	}
	t.run++
	t.last = err
}

func (r *rejects) accepted(table string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tables[table]; t != nil {
		t.run = 0
	}
}

// probe tells of tables whose records are all refused.
func (r *rejects) probe() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []error
	for _, name := range slices.Sorted(maps.Keys(r.tables)) {
		if t := r.tables[name]; t.run >= rejectedRun {
			all = append(all, fmt.Errorf("table %s: the last %d records became dead letters, and none was copied: %w",
				name, t.run, t.last))
		}
	}
	return errors.Join(all...)
}
