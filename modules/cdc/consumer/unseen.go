package consumer

import (
	"context"
	"hash/maphash"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
)

// unseen knows of keys that our copy cannot have: it was empty when the session began, and the session
// has not written them. The first snapshot of a table would else look up every row, in vain. It is a Bloom
// filter: of keys that it does not know it may say that they were written, which costs a look-up.
type unseen struct {
	bits []uint64
	seed maphash.Seed
}

// unseenBits is 16 MB, which tells ten million keys apart but for 1 in 200.
const unseenBits = 1 << 27

func newUnseen() *unseen {
	return &unseen{bits: make([]uint64, unseenBits/64), seed: maphash.MakeSeed()}
}

// first tells whether a key certainly was not there before, and takes note of it.
func (u *unseen) first(key string) bool {
	if u == nil {
		return false
	}
	sum := maphash.String(u.seed, key)
	at, step := sum, sum>>32|1
	known := true
	for range 4 {
		word, bit := &u.bits[at%unseenBits/64], uint64(1)<<(at%64)
		known = known && *word&bit != 0
		*word |= bit
		at += step
	}
	return !known
}

// findEmpty learns which copies of counted kinds have no row yet.
func (a *applier) findEmpty(ctx context.Context) error {
	a.unseen = map[mapping.Kind]*unseen{}
	for _, s := range a.sources {
		if !s.Kind.Counted() {
			continue
		}
		has, err := replica.HasRows(ctx, a.db, s.Kind)
		if err != nil {
			return err
		}
		if !has {
			a.unseen[s.Kind] = newUnseen()
		}
	}
	return nil
}
