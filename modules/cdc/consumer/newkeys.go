package consumer

import (
	"context"
	"hash/maphash"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
)

// keyFilter knows of keys that our copy cannot have: it was empty when the session began, and the session
// has not written them. The first snapshot of a table would else look up every row, in vain. It is a Bloom
// filter: of keys that it does not know it may say that they were written, which costs a look-up.
type keyFilter struct {
	bits []uint64
	seed maphash.Seed
}

// newKeysBits is 16 MB, which tells ten million keys apart but for 1 in 200.
const newKeysBits = 1 << 27

func newKeyFilter() *keyFilter {
	return &keyFilter{bits: make([]uint64, newKeysBits/64), seed: maphash.MakeSeed()}
}

// first tells whether a key certainly was not there before, and takes note of it.
func (k *keyFilter) first(key string) bool {
	if k == nil {
		return false
	}
	sum := maphash.String(k.seed, key)
	at, step := sum, sum>>32|1
	known := true
	for range 4 {
		word, bit := &k.bits[at%newKeysBits/64], uint64(1)<<(at%64)
		known = known && *word&bit != 0
		*word |= bit
		at += step
	}
	return !known
}

// findEmpty learns which copies of counted kinds have no row yet.
func (w *writer) findEmpty(ctx context.Context) error {
	w.newKeys = map[mapping.Kind]*keyFilter{}
	for _, s := range w.sources {
		if !s.Kind.Counted() {
			continue
		}
		has, err := replica.HasRows(ctx, w.db, s.Kind)
		if err != nil {
			return err
		}
		if !has {
			w.newKeys[s.Kind] = newKeyFilter()
		}
	}
	return nil
}
