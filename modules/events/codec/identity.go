package codec

import (
	"encoding/binary"

	"github.com/feedrank/feedrank/modules/core"
)

// Identity is what makes two events one, whatever else they say.
type Identity struct {
	User core.ID
	ID   core.EventID
}

// Hash spreads identities. Event ids are random, but a client could choose them: a bad choice costs
// only its own user look-ups.
func (i Identity) Hash() uint64 {
	first, second := binary.LittleEndian.Uint64(i.ID[:8]), binary.LittleEndian.Uint64(i.ID[8:])
	return Mix(first ^ second*0x9e3779b97f4a7c15 ^ uint64(i.User)*0xd6e8feb86659fd93)
}

// Mix spreads the bits of a number over all of it.
func Mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

// Identity is the event's.
func (e *Event) Identity() Identity { return Identity{e.User, e.ID} }
