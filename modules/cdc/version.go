package cdc

import "fmt"

// A version is the place of a record in the order of the log: the epoch of the topic (16 bits), the
// offset (40 bits), and what was derived from the record later, such as its death by a truncate (8 bits).
const (
	derivedBits = 8
	offsetBits  = 40
	maxOffset   = 1<<offsetBits - 1
)

func versionOf(epoch uint16, offset int64) (uint64, error) {
	if offset < 0 || offset > maxOffset {
		return 0, fmt.Errorf("offset %d does not fit a version: the topic must be made anew", offset)
	}
	return uint64(epoch)<<(offsetBits+derivedBits) | uint64(offset)<<derivedBits, nil
}

// recordOf is the version of the record that a version was derived from.
func recordOf(version uint64) uint64 { return version &^ (1<<derivedBits - 1) }

func epochOf(version uint64) uint16 { return uint16(version >> (offsetBits + derivedBits)) } // 16 bits are left

// after is the version of the record that would come next. It is for what comes later and has a lower place, or
// none: the row's own records go on from there.
func after(version uint64) uint64 { return recordOf(version) + 1<<derivedBits }

// derived is the next version for something that was derived from the same record. It never reaches
// the next record's; after 254 of them the last is used again.
func derived(version uint64) uint64 {
	if version&(1<<derivedBits-1) == 1<<derivedBits-1 {
		return version
	}
	return version + 1
}
