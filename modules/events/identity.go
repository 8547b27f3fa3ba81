package events

import (
	"encoding/binary"

	"github.com/feedrank/feedrank/modules/core"
)

// identity is what makes two events one, whatever else they say.
type identity struct {
	user core.ID
	id   core.EventID
}

// hash spreads identities. Event ids are random, but a client could choose them: a bad choice costs
// only its own user look-ups.
func (i identity) hash() uint64 {
	return mix(binary.LittleEndian.Uint64(i.id[:8]) ^ binary.LittleEndian.Uint64(i.id[8:])*0x9e3779b97f4a7c15 ^ uint64(i.user)*0xd6e8feb86659fd93) //nolint:gosec // bits
}

// mix spreads the bits of a number over all of it.
func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

// identity is the event's.
func (e *event) identity() identity { return identity{e.user, e.id} }
