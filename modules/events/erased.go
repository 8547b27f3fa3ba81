package events

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// Erased are the people of whom nothing is stored any more. The raw table refuses rows that name one of
// them (0005_erasure.sql), so knowing them late costs a repetition, and never lets one through.
type Erased interface {
	// Has tells whether somebody is erased, as far as is known here. It is asked for every event.
	Has(user core.ID) bool
	// Refresh learns of everybody who is erased by now.
	Refresh(ctx context.Context) error
}

// nobodyErased stands in where nobody can be.
type nobodyErased struct{}

func (nobodyErased) Has(core.ID) bool { return false }

func (nobodyErased) Refresh(context.Context) error { return nil }

// names tells whether an event is of or about somebody who is erased.
func names(e *event, erased Erased) bool { return erased.Has(e.user) || erased.Has(e.author) }

// leaveOut takes what names erased people out of the batch, dead letters too. An offset that the raw
// table has stays: it was applied, its range says so, and its row is removed with the person's others.
func (b *batch) leaveOut(erased Erased, present offsets) {
	before := len(b.rows) + len(b.letters)
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		gone := !r.present && !present.has(r.offset) && names(&r.event, erased)
		if gone {
			b.payload -= payload(r.record)
		}
		return gone
	})
	b.letters = slices.DeleteFunc(b.letters, func(l DeadLetter) bool {
		user, err := core.ParseID(string(l.Key))
		gone := err == nil && erased.Has(user)
		if gone {
			b.payload -= int64(len(l.Key) + len(l.Value))
		}
		return gone
	})
	b.erased += uint64(before - len(b.rows) - len(b.letters)) //nolint:gosec // not negative
}
