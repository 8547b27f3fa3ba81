package core

import "context"

// Erased are the people of whom nothing is stored any more. ClickHouse refuses what names one of them
// (0005_erasure.sql), so knowing them late costs a repetition, and never lets one through.
type Erased interface {
	// Has tells whether somebody is erased, as far as is known here.
	Has(user ID) bool
	// Refresh learns of everybody who is erased by now.
	Refresh(ctx context.Context) error
}

// NobodyErased stands in where nobody can be.
type NobodyErased struct{}

// Has implements Erased.
func (NobodyErased) Has(ID) bool { return false }

// Refresh implements Erased.
func (NobodyErased) Refresh(context.Context) error { return nil }
