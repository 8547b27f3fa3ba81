package replica

import "fmt"

// Version is the place of a row in the order of the log: the epoch of the topic (16 bits), the
// offset (40 bits), and what was derived from the record later, such as its end by a truncate (8 bits).
type Version uint64

const (
	derivedBits = 8
	offsetBits  = 40
	maxOffset   = 1<<offsetBits - 1
)

// VersionOf is the version of a record.
func VersionOf(epoch uint16, offset int64) (Version, error) {
	if offset < 0 || offset > maxOffset {
		return 0, fmt.Errorf("offset %d does not fit a version: the topic must be made anew", offset)
	}
	return Version(epoch)<<(offsetBits+derivedBits) | Version(offset)<<derivedBits, nil
}

// Record is the version of the record that a version was derived from.
func (v Version) Record() Version { return v &^ (1<<derivedBits - 1) }

// Epoch is the epoch of the record.
func (v Version) Epoch() uint16 { return uint16(v >> (offsetBits + derivedBits)) } // 16 bits are left

// Next is the version of the record that would come next. It is for what comes later and has a lower place, or
// none: the row's own records go on from there.
func (v Version) Next() Version { return v.Record() + 1<<derivedBits }

// Derived is the next version for something that was derived from the same record. It never reaches
// the next record's; after 254 of them the last is used again.
func (v Version) Derived() Version {
	if v&(1<<derivedBits-1) == 1<<derivedBits-1 {
		return v
	}
	return v + 1
}
