package consumer

import "github.com/feedrank/feedrank/modules/cdc/mapping"

// names tells whether a change names somebody who is erased, in its columns or in its key.
func (w *writer) names(e entry) bool {
	return mapping.NamesErased(w.erased, e.source.People(e.row, e.key))
}

// leaveOut takes what an entry says of erased people out of it; false: nothing is left to apply. What we
// have of them is not touched: it is removed as a whole. A row of somebody else that now names one of them
// is gone for us.
func (w *writer) leaveOut(m *merge, e entry) (entry, bool) {
	named := w.names(e)
	old, known := m.rows[e.source.Kind.CopyKey(e.row)]
	switch {
	case known && mapping.NamesErased(w.erased, e.source.Kind.People(old.Row)), named && !known:
		w.metrics.erased.WithLabelValues(w.table).Inc()
		return e, false
	case named:
		w.metrics.erased.WithLabelValues(w.table).Inc()
		e.delete, e.row.Gone = true, true
		e.row.First, e.row.Other = 0, 0
	}
	return e, true
}
