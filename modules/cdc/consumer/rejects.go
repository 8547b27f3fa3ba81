package consumer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// rejectedRun is how many records of a table are refused one after the other until that is no accident: the table, its
// connector or its mapping is not what it should be, and nothing of it is copied.
const rejectedRun = 20

// rejects counts, by table, the records that were refused since the last one that was not.
type rejects struct {
	mu     sync.Mutex
	tables map[string]*rejected
}

type rejected struct {
	run  int
	last error
}

func newRejects() *rejects { return &rejects{tables: map[string]*rejected{}} }

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
