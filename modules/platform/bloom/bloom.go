package bloom

// Filter is a set of keys that may say of a key which is not in it that it is. It is not safe for concurrent use.
type Filter struct {
	words          []uint64
	blocks         uint64
	capacity, room int
	bitsPerKey     int
	fetched        uint64 // nothing: what Fetch reads goes somewhere
}

const (
	blockWords = 8
	probes     = 7
)

// New makes an empty filter for so many keys.
func New(capacity, bitsPerKey int) *Filter {
	blocks := (capacity*bitsPerKey + 511) / 512
	return &Filter{
		words: make([]uint64, blocks*blockWords), blocks: uint64(blocks),
		capacity: capacity, room: capacity, bitsPerKey: bitsPerKey,
	}
}

// Larger makes an empty one of twice the capacity.
func (f *Filter) Larger() *Filter { return New(2*f.capacity, f.bitsPerKey) }

// Full tells whether it holds as many keys as it was made for.
func (f *Filter) Full() bool { return f.room == 0 }

// Bytes is the memory held.
func (f *Filter) Bytes() int { return 8 * len(f.words) }

// Add adds a key.
func (f *Filter) Add(hash uint64) {
	block := f.block(hash)
	for p, bits := 0, spread(hash); p < probes; p, bits = p+1, bits>>9 {
		block[bits>>6&7] |= 1 << (bits & 63)
	}
	if f.room > 0 {
		f.room--
	}
}

// MayHave tells whether a key may have been added; false: it certainly was not.
func (f *Filter) MayHave(hash uint64) bool {
	block := f.block(hash)
	for p, bits := 0, spread(hash); p < probes; p, bits = p+1, bits>>9 {
		if block[bits>>6&7]&(1<<(bits&63)) == 0 {
			return false
		}
	}
	return true
}

// Fetch reads a word of each key's block, so that what is asked of them next need not wait for one after the other.
func (f *Filter) Fetch(hashes []uint64) {
	for _, hash := range hashes {
		f.fetched ^= f.block(hash)[0]
	}
}

// block picks a block by the upper half of the hash, without a division.
func (f *Filter) block(hash uint64) []uint64 {
	at := (hash >> 32) * f.blocks >> 32 * blockWords
	return f.words[at : at+blockWords : at+blockWords]
}

// spread makes 7 times 9 bits of the hash that do not depend on the choice of the block.
func spread(hash uint64) uint64 { return hash * 0x9fb21c651e98df25 }
