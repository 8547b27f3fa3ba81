package dedup

import (
	"slices"

	"github.com/feedrank/feedrank/modules/platform/bloom"
)

// filter tells for sure that an id is *not* in the raw table. It has one Bloom filter for each day of
// the raw table, so that it forgets as the table does, and so that a look-up knows where to look.
type filter struct {
	bitsPerID int
	days      []*daily // few: as many as the raw table has days
}

// daily covers the events that occurred on one day. It grows by adding filters of twice the size, and
// so is never wrong, only slower.
type daily struct {
	day   int32
	parts []*bloom.Filter
}

func newFilter(bitsPerID int) *filter { return &filter{bitsPerID: bitsPerID} }

// firstCapacity is the size of the first filter of a day.
const firstCapacity = 16 << 10

// of is the filter of a day, made if there is none.
func (f *filter) of(day int32, capacity int) *daily {
	for _, d := range f.days {
		if d.day == day {
			return d
		}
	}
	d := &daily{day: day, parts: []*bloom.Filter{bloom.New(max(capacity, firstCapacity), f.bitsPerID)}}
	f.days = append(f.days, d)
	return d
}

func (f *filter) add(day int32, hash uint64) { f.of(day, firstCapacity).add(hash) }

// addAll adds many. The block of each is somewhere else in memory: a few are fetched at once, rather than one after
// the other.
func (d *daily) addAll(hashes []uint64) {
	for some := range slices.Chunk(hashes, fetchedAtOnce) {
		d.parts[len(d.parts)-1].Fetch(some)
		for _, hash := range some {
			d.add(hash)
		}
	}
}

// fetchedAtOnce is more than a processor can wait for at once, and far less than its nearest cache holds.
const fetchedAtOnce = 32

func (d *daily) add(hash uint64) {
	last := d.parts[len(d.parts)-1]
	if last.Full() {
		last = last.Larger()
		d.parts = append(d.parts, last)
	}
	last.Add(hash)
}

// candidates appends the days on which the id may stand; none means that it is new.
func (f *filter) candidates(hash uint64, days []int32) []int32 {
	for _, d := range f.days {
		for _, b := range d.parts {
			if b.MayHave(hash) {
				days = append(days, d.day)
				break
			}
		}
	}
	return days
}

// forget drops the days before the one given.
func (f *filter) forget(before int32) {
	f.days = slices.DeleteFunc(f.days, func(d *daily) bool { return d.day < before })
}

// bytes is the memory held.
func (f *filter) bytes() int {
	n := 0
	for _, d := range f.days {
		for _, b := range d.parts {
			n += b.Bytes()
		}
	}
	return n
}
