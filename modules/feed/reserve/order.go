package reserve

import (
	"encoding/binary"
	"fmt"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/take"
)

// Place is one place of a session's order. Its zero value is one that was given out before the order
// was made anew: nobody knows any more what stood there.
type Place struct {
	Post   core.ID
	Source Source
}

// orderVersion is the first byte of an encoded order.
const orderVersion = 1

// AppendOrder appends the order that a session of pages follows: version, session, posts.
func AppendOrder(b []byte, session uint64, order []Place) []byte {
	b = append(b, orderVersion)
	b = binary.LittleEndian.AppendUint64(b, session)
	b = binary.AppendUvarint(b, uint64(len(order)))
	var last core.ID
	for _, p := range order {
		b = binary.AppendVarint(b, int64(p.Post-last))
		b = append(b, byte(p.Source))
		last = p.Post
	}
	return b
}

// DecodeOrder reads an order into dst. It is malformed, too, if it belongs to another session.
func DecodeOrder(dst []Place, session uint64, b []byte) ([]Place, error) {
	if len(b) < 9 || b[0] != orderVersion || binary.LittleEndian.Uint64(b[1:]) != session {
		return dst, fmt.Errorf("%w: order of another session", ErrMalformed)
	}
	return decodePlaces(dst, b[9:])
}

// DecodeAnyOrder reads an order, of whichever session it is.
func DecodeAnyOrder(b []byte) ([]Place, error) {
	if len(b) < 9 {
		return nil, fmt.Errorf("%w: order", ErrMalformed)
	}
	return DecodeOrder(nil, binary.LittleEndian.Uint64(b[1:]), b)
}

func decodePlaces(dst []Place, b []byte) ([]Place, error) {
	in := take.From(b)
	var last core.ID
	for range in.Count(2) {
		p := Place{Post: last + core.ID(in.Varint()), Source: Source(in.Byte())}
		if in.Bad {
			return dst, fmt.Errorf("%w: order", ErrMalformed)
		}
		last = p.Post
		dst = append(dst, p)
	}
	if in.Bad || len(in.Left) > 0 {
		return dst, fmt.Errorf("%w: order ends at the wrong place", ErrMalformed)
	}
	return dst, nil
}
