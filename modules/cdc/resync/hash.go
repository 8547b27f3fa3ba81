package resync

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
)

// hasher hashes keys and rows, differently in each process.
type hasher struct{ seed maphash.Seed }

func (h hasher) key(key string) uint64 { return maphash.String(h.seed, key) }

func (h hasher) row(key string, r mapping.Row) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	var b [28]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(r.First))
	binary.LittleEndian.PutUint64(b[8:], uint64(r.Other))
	binary.LittleEndian.PutUint64(b[16:], uint64(replica.StoredTime(r.CreatedAt).UnixMicro()))
	if r.Hidden {
		b[24] = 1
	}
	b[25] = byte(r.Audience)
	if r.NoDiscovery {
		b[26] = 1
	}
	b[27] = byte(r.Value)
	_, _ = m.Write(b[:]) // a hash takes everything
	_, _ = m.WriteString(key)
	_, _ = m.WriteString(string(r.Labels))
	return m.Sum64()
}

func (h hasher) edge(e mapping.Edge) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	_, _ = fmt.Fprintf(&m, "%s|%d|%s|%d", e.Key, e.Viewer, e.Kind, e.Other)
	return m.Sum64()
}

// whole is the hash of a row with its edges: sums, so that their order does not matter.
func (h hasher) whole(k mapping.Kind, key string, r mapping.Row) uint64 {
	sum := h.row(key, r)
	for _, e := range k.Edges(r) {
		sum += h.edge(e)
	}
	return sum
}
