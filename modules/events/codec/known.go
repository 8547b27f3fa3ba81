package codec

import (
	"hash/maphash"

	"github.com/feedrank/feedrank/modules/core"
)

// knownKeys is how many keys a decoder remembers.
const knownKeys = 2048

// known remembers the numbers of keys that were read lately: a key that comes again is compared, not hashed anew. Keys
// that are their own numbers it leaves alone. Its zero value is empty; nil remembers nothing.
type known struct {
	seed  maphash.Seed
	slots []slot
}

type slot struct {
	id   core.ID // 0: free
	form core.KeyForm
	n    uint8
	text [core.MaxKey]byte
}

// parse is form.Parse. The key's text is a part of b.
func (k *known) parse(form core.KeyForm, b []byte) (core.Key, error) {
	if k == nil || form != core.UUIDKeys && form != core.TextKeys {
		return form.Parse(text(b))
	}
	if k.slots == nil {
		k.seed, k.slots = maphash.MakeSeed(), make([]slot, knownKeys)
	}
	s := &k.slots[maphash.Bytes(k.seed, b)%knownKeys]
	if s.id != 0 && string(s.text[:s.n]) == string(b) && s.form == form {
		return core.Key{ID: s.id, Text: text(b)}, nil
	}
	key, err := form.Parse(text(b))
	if err == nil && key.Text == text(b) { // nothing was folded, and it is no number
		s.id, s.form, s.n = key.ID, form, uint8(copy(s.text[:], b))
	}
	return key, err
}

// slab makes the texts of many events at once. nil makes each by itself.
type slab []Texts

func (s *slab) next() *Texts {
	if s == nil {
		return &Texts{}
	}
	if len(*s) == 0 {
		*s = make([]Texts, 64)
	}
	texts := &(*s)[0]
	*s = (*s)[1:]
	return texts
}
