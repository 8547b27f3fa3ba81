package dedup

import "slices"

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
	parts []*bloom
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
	d := &daily{day: day, parts: []*bloom{newBloom(max(capacity, firstCapacity), f.bitsPerID)}}
	f.days = append(f.days, d)
	return d
}

func (f *filter) add(day int32, hash uint64) { f.of(day, firstCapacity).add(hash) }

// addAll adds many. The block of each is somewhere else in memory: a few are fetched at once, rather than one after
// the other.
func (d *daily) addAll(hashes []uint64) {
	for some := range slices.Chunk(hashes, fetchedAtOnce) {
		d.parts[len(d.parts)-1].fetch(some)
		for _, hash := range some {
			d.add(hash)
		}
	}
}

// fetchedAtOnce is more than a processor can wait for at once, and far less than its nearest cache holds.
const fetchedAtOnce = 32

func (d *daily) add(hash uint64) {
	last := d.parts[len(d.parts)-1]
	if last.room == 0 {
		last = newBloom(2*last.capacity, last.bitsPerID)
		d.parts = append(d.parts, last)
	}
	last.add(hash)
}

// candidates appends the days on which the id may stand; none means that it is new.
func (f *filter) candidates(hash uint64, days []int32) []int32 {
	for _, d := range f.days {
		for _, b := range d.parts {
			if b.mayHave(hash) {
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
			n += 8 * len(b.words)
		}
	}
	return n
}

// bloom is a blocked Bloom filter: all bits of an id stand in one block of 512 bits, which is one
// cache line. At 16 bits for each id about one in 500 new ids looks like an old one.
type bloom struct {
	words          []uint64
	blocks         uint64
	capacity, room int
	bitsPerID      int
	fetched        uint64 // nothing: what fetch reads goes somewhere
}

const (
	blockWords = 8
	probes     = 7
)

func newBloom(capacity, bitsPerID int) *bloom {
	blocks := (capacity*bitsPerID + 511) / 512
	return &bloom{words: make([]uint64, blocks*blockWords), blocks: uint64(blocks), capacity: capacity, room: capacity, bitsPerID: bitsPerID} //nolint:gosec // positive
}

// block picks a block by the upper half of the hash, without a division.
func (b *bloom) block(hash uint64) []uint64 {
	at := (hash >> 32) * b.blocks >> 32 * blockWords
	return b.words[at : at+blockWords : at+blockWords]
}

func (b *bloom) add(hash uint64) {
	block := b.block(hash)
	for p, bits := 0, spread(hash); p < probes; p, bits = p+1, bits>>9 {
		block[bits>>6&7] |= 1 << (bits & 63)
	}
	if b.room > 0 {
		b.room--
	}
}

// fetch reads a word of each block.
func (b *bloom) fetch(hashes []uint64) {
	for _, hash := range hashes {
		b.fetched ^= b.block(hash)[0]
	}
}

func (b *bloom) mayHave(hash uint64) bool {
	block := b.block(hash)
	for p, bits := 0, spread(hash); p < probes; p, bits = p+1, bits>>9 {
		if block[bits>>6&7]&(1<<(bits&63)) == 0 {
			return false
		}
	}
	return true
}

// spread makes 7 times 9 bits of the hash that do not depend on the choice of the block.
func spread(hash uint64) uint64 { return hash * 0x9fb21c651e98df25 }
