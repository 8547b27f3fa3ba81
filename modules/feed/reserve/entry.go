package reserve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/take"
)

// An entry in the cache is
//
//	version  1 byte
//	nonce    8 bytes: changes with every write and every patch
//	fresh    8 bytes: until when it is fresh, milliseconds since 1970
//	length   4 bytes: of the body; zero where there is none
//	body     the reserve
//	patches  9 bytes each: kind, id
//
// all numbers little-endian, in the body variable-length. A replica that finds another version takes
// it for a miss, so replicas of two versions can share a Redis while they are replaced.

// EntryVersion is the version that this program writes and reads.
const EntryVersion = 1

// The layout that the scripts in Redis know, too.
const (
	TagSize    = 9  // version and nonce: what a write compares
	HeaderSize = 21 //
	PatchSize  = 9
	// MaxEntry bounds an entry; a longer one is not written, nor patched any further.
	MaxEntry = 256 << 10
)

// ErrMalformed is returned for bytes that are not an entry of this version.
var ErrMalformed = errors.New("not a cache entry of this version")

// Tag identifies one state of an entry. Its zero value is that of an absent one.
type Tag string

// Entry is a cache entry, decoded.
type Entry struct {
	Tag        Tag
	FreshUntil time.Time
	HasBody    bool // false: only patches, of a viewer who had no entry
	Reserve    Reserve
	Patches    []Patch
}

// Fresh tells whether the reserve can be used as it is.
func (e *Entry) Fresh(now time.Time) bool {
	return e.Whole(now) && now.Before(e.FreshUntil)
}

// Whole tells whether the reserve says what the viewer is to others now: they changed nothing, and nothing has ended.
func (e *Entry) Whole(now time.Time) bool {
	return e.HasBody && len(e.Patches) == 0 && !e.Reserve.EndedBy(now)
}

// AppendEntry appends an entry without patches.
func AppendEntry(b []byte, nonce uint64, freshUntil time.Time, r *Reserve) []byte {
	b = appendHeader(b, nonce, freshUntil)
	start := len(b)
	b = appendBody(b, r)
	binary.LittleEndian.PutUint32(b[start-4:], uint32(len(b)-start)) // far below 4 GiB
	return b
}

// AppendMarker appends an entry that has no body: the place for patches of a viewer without entry.
func AppendMarker(b []byte, nonce uint64) []byte {
	return appendHeader(b, nonce, time.UnixMilli(0))
}

// AppendPatch appends a patch as it stands at the end of an entry.
func AppendPatch(b []byte, p Patch) []byte {
	b = append(b, byte(p.Kind))
	return binary.LittleEndian.AppendUint64(b, uint64(p.Other))
}

// Forget empties the entry and keeps its memory.
func (e *Entry) Forget() {
	e.Tag, e.FreshUntil, e.HasBody, e.Patches = "", time.Time{}, false, e.Patches[:0]
	e.Reserve.Reset()
}

// Decode reads an entry. e's memory is used again. The tag is read even of what is malformed, so that
// it can be written over.
func (e *Entry) Decode(b []byte) error {
	e.Forget()
	e.Tag = Tag(b[:min(len(b), TagSize)])
	if len(b) < HeaderSize || b[0] != EntryVersion {
		return ErrMalformed
	}
	e.FreshUntil = time.UnixMilli(int64(binary.LittleEndian.Uint64(b[9:])))
	length := uint64(binary.LittleEndian.Uint32(b[17:]))
	rest := b[HeaderSize:]
	if length > uint64(len(rest)) || (uint64(len(rest))-length)%PatchSize != 0 {
		return fmt.Errorf("%w: %d bytes after the header, body of %d", ErrMalformed, len(rest), length)
	}
	if length > 0 {
		if err := e.Reserve.decode(rest[:length]); err != nil {
			return err
		}
		e.HasBody = true
	}
	for p := rest[length:]; len(p) > 0; p = p[PatchSize:] {
		patch := Patch{Kind: PatchKind(p[0]), Other: core.ID(binary.LittleEndian.Uint64(p[1:]))}
		if patch.Kind < PatchFollow || patch.Kind >= patchKinds || !patch.Other.Valid() {
			return fmt.Errorf("%w: patch %d of %d", ErrMalformed, patch.Kind, patch.Other)
		}
		// Who has many followers loses some all the time: only those whom the viewer follows take an entry out of use.
		if patch.Kind == PatchUnfollowedBack && e.HasBody && e.Reserve.Knows(patch) {
			continue
		}
		e.Patches = append(e.Patches, patch)
	}
	return nil
}

func appendHeader(b []byte, nonce uint64, freshUntil time.Time) []byte {
	b = append(b, EntryVersion)
	b = binary.LittleEndian.AppendUint64(b, nonce)
	b = binary.LittleEndian.AppendUint64(b, uint64(freshUntil.UnixMilli()))
	return append(b, 0, 0, 0, 0)
}

// hasInteractions marks, beside the relation, that a number follows.
const hasInteractions = 1 << 7

func appendBody(b []byte, r *Reserve) []byte {
	built := r.BuiltAt.UnixMilli()
	b = binary.AppendVarint(b, built)
	b = binary.AppendUvarint(b, r.Ranking)
	b = binary.AppendUvarint(b, uint64(len(r.Authors)))
	var last core.ID
	for _, a := range r.Authors {
		b = binary.AppendVarint(b, int64(a.ID-last))
		last = a.ID
		if a.Interactions == 0 {
			b = append(b, byte(a.Relation))
			continue
		}
		b = append(b, byte(a.Relation)|hasInteractions)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(a.Interactions))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Candidates)))
	last = 0
	for _, c := range r.Candidates {
		b = binary.AppendVarint(b, int64(c.Post-last))
		last = c.Post
		b = binary.AppendUvarint(b, uint64(c.Author))
		b = append(b, byte(c.Source))
		b = binary.AppendVarint(b, built-c.Created/1000)
	}
	return appendHidden(appendEnds(b, r, built), r)
}

func (r *Reserve) decode(b []byte) error {
	in := take.From(b)
	built := in.Varint()
	r.BuiltAt = time.UnixMilli(built).UTC()
	r.Ranking = in.Uvarint()
	var last core.ID
	for i := range in.Count(2) {
		a := Author{ID: last + core.ID(in.Varint())}
		flags := in.Byte()
		if flags&hasInteractions != 0 {
			a.Interactions = math.Float32frombits(in.Uint32())
		}
		a.Relation = Relation(flags &^ hasInteractions)
		if i > 0 && a.ID <= last || !a.ID.Valid() || math.IsNaN(float64(a.Interactions)) ||
			math.IsInf(float64(a.Interactions), 0) {
			return fmt.Errorf("%w: author %d after %d", ErrMalformed, a.ID, last)
		}
		last = a.ID
		r.Authors = append(r.Authors, a)
	}
	last = 0
	for range in.Count(4) {
		c := Candidate{Post: last + core.ID(in.Varint())}
		author := in.Uvarint()
		c.Source = Source(in.Byte())
		c.Created = (built - in.Varint()) * 1000
		if in.Bad || !c.Post.Valid() || author >= uint64(len(r.Authors)) {
			return fmt.Errorf("%w: candidate %d of author %d", ErrMalformed, c.Post, author)
		}
		last, c.Author = c.Post, int32(author)
		r.Candidates = append(r.Candidates, c)
	}
	if err := r.decodeEnds(&in, built); err != nil {
		return err
	}
	if err := r.decodeHidden(&in); err != nil {
		return err
	}
	if in.Bad || len(in.Left) > 0 {
		return fmt.Errorf("%w: body ends at the wrong place", ErrMalformed)
	}
	return nil
}
