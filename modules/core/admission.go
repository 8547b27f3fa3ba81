package core

import (
	"context"
	"fmt"
)

// Admission makes sure that the numbers of keys are theirs alone, before anything is stored under them.
type Admission interface {
	// Admit tells which keys have the number of another. It can be repeated; after an error nothing may be stored.
	Admit(ctx context.Context, keys []Key) (RefusedKeys, error)
}

// AllAdmitted admits every key. For who has none but integers.
type AllAdmitted struct{}

// Admit implements Admission.
func (AllAdmitted) Admit(context.Context, []Key) (RefusedKeys, error) { return nil, nil }

// RefusedKeys are keys whose number is another's.
type RefusedKeys map[Key]struct{}

// First is the first of these keys that is refused.
func (r RefusedKeys) First(keys ...Key) (Key, bool) {
	if len(r) == 0 {
		return Key{}, false
	}
	for _, k := range keys {
		if _, refused := r[k]; refused {
			return k, true
		}
	}
	return Key{}, false
}

// KeyCollision is the reason of a dead letter that names a refused key.
const KeyCollision = "key_collision"

// Collides says why a key is refused.
func (k Key) Collides() string {
	return fmt.Sprintf("key %q: another key has the same number, %d, and keeps it", k.Text, k.ID)
}
