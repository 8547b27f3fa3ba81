package consumer

import (
	"context"
	"hash/maphash"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/platform/bloom"
)

// keyFilter knows of keys that our copy cannot have: it was empty when the session began, and the session
// has not written them. The first snapshot of a table would else look up every row, in vain. It is a Bloom
// filter: of keys that it does not know it may say that they were written, which costs a look-up.
type keyFilter struct {
	written *bloom.Filter
	seed    maphash.Seed
}

// A filter of new keys takes 16 MB. Beyond eight million keys it is mistaken oftener, which costs look-ups.
const (
	newKeys       = 8 << 20
	bitsPerNewKey = 16
)

func newKeyFilter() *keyFilter {
	return &keyFilter{written: bloom.New(newKeys, bitsPerNewKey), seed: maphash.MakeSeed()}
}

// first tells whether a key certainly was not there before, and takes note of it.
func (k *keyFilter) first(key string) bool {
	if k == nil {
		return false
	}
	sum := maphash.String(k.seed, key)
	known := k.written.MayHave(sum)
	k.written.Add(sum)
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
