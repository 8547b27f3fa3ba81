// Package take reads numbers off the front of bytes: of a cached entry and of a cursor.
package take

import "encoding/binary"

// Bytes are what is left to read. Once something is missing they are Bad, and give zeros.
type Bytes struct {
	Left []byte
	Bad  bool
}

// From reads b from its front.
func From(b []byte) Bytes { return Bytes{Left: b} }

// Uvarint is a number as binary.AppendUvarint writes it.
func (b *Bytes) Uvarint() uint64 {
	v, n := binary.Uvarint(b.Left)
	b.skip(n)
	return v
}

// Varint is a number as binary.AppendVarint writes it.
func (b *Bytes) Varint() int64 {
	v, n := binary.Varint(b.Left)
	b.skip(n)
	return v
}

// Count is a number of things of at least size bytes each, which must fit in what is left.
func (b *Bytes) Count(size uint64) uint64 {
	n := b.Uvarint()
	if n > uint64(len(b.Left))/size {
		b.Bad = true
		return 0
	}
	return n
}

// Byte is the next one.
func (b *Bytes) Byte() byte {
	if len(b.Left) < 1 {
		b.Bad = true
		return 0
	}
	v := b.Left[0]
	b.Left = b.Left[1:]
	return v
}

// Uint32 is a number of four bytes, the low one first.
func (b *Bytes) Uint32() uint32 {
	if len(b.Left) < 4 {
		b.Bad = true
		return 0
	}
	v := binary.LittleEndian.Uint32(b.Left)
	b.Left = b.Left[4:]
	return v
}

func (b *Bytes) skip(n int) {
	if n <= 0 {
		b.Bad, b.Left = true, nil
		return
	}
	b.Left = b.Left[n:]
}
