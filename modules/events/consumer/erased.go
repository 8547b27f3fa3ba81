package consumer

import (
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// names tells whether an event is of or about somebody who is erased.
func names(e *codec.Event, erased core.Erased) bool {
	return erased.Has(e.User) || erased.Has(e.Author)
}

// leaveOut takes what names erased people out of the batch, dead letters too. An offset that the raw
// table has stays: it was applied, its range says so, and its row is removed with the person's others.
func (b *batch) leaveOut(erased core.Erased, present ledger.Offsets) {
	before := len(b.rows) + len(b.deadLetters)
	b.rows = slices.DeleteFunc(b.rows, func(r ledger.Row) bool {
		gone := !r.Present && !present.Has(r.Offset) && names(&r.Event, erased)
		if gone {
			b.payload -= payload(r.Record)
		}
		return gone
	})
	b.deadLetters = slices.DeleteFunc(b.deadLetters, func(l kafka.DeadLetter) bool {
		user, err := core.ParseID(string(l.Key))
		gone := err == nil && erased.Has(user)
		if gone {
			b.payload -= int64(len(l.Key) + len(l.Value))
		}
		return gone
	})
	b.erased += uint64(before - len(b.rows) - len(b.deadLetters)) //nolint:gosec // not negative
}
