package reserve

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/take"
)

// End is when the viewer's relation to an author ends by itself: a mute for a week. Nothing tells that its time has
// come, so whoever uses a reserve looks.
type End struct {
	Author   core.ID
	Relation Relation // one of BlockedOrMuted
	At       int64    // milliseconds since 1970
}

// EndedBy tells whether a relation has ended that the reserve was made with.
func (r *Reserve) EndedBy(now time.Time) bool {
	return slices.ContainsFunc(r.Ends, func(e End) bool { return e.At <= now.UnixMilli() })
}

// Ended appends what has ended, as the changes that a viewer would make who ended it, but for what other changes are
// heard of.
func (r *Reserve) Ended(now time.Time, heard, patches []Patch) []Patch {
	for _, e := range r.Ends {
		p := Patch{Kind: ended(e.Relation), Other: e.Author}
		if e.At <= now.UnixMilli() && !slices.ContainsFunc(heard, p.about) {
			patches = append(patches, p)
		}
	}
	return patches
}

// Without are the authors without the relations that have ended, and the ends that are left.
func Without(authors []Author, ends []End, now time.Time) ([]Author, []End) {
	for _, e := range ends {
		if e.At > now.UnixMilli() {
			continue
		}
		for i := range authors {
			if authors[i].ID == e.Author {
				authors[i].Relation &^= e.Relation
			}
		}
	}
	return authors, slices.DeleteFunc(ends, func(e End) bool { return e.At <= now.UnixMilli() })
}

// ended is the change that ends a relation.
func ended(relation Relation) PatchKind {
	switch relation {
	case Blocks:
		return PatchUnblock
	case BlockedBy:
		return PatchUnblockedBy
	default:
		return PatchUnmute
	}
}

// Opposite is the change that takes a block or a mute back; others have none.
func (k PatchKind) Opposite() PatchKind {
	switch k {
	case PatchBlock:
		return PatchUnblock
	case PatchBlockedBy:
		return PatchUnblockedBy
	case PatchMute:
		return PatchUnmute
	case PatchFollow, PatchUnfollow, PatchUnblock, PatchUnblockedBy, PatchUnmute, PatchLess, PatchMore,
		PatchFollowedBack, PatchUnfollowedBack, PatchJoined, PatchLeft, PatchHide, PatchUnhide, patchKinds:
	}
	return k
}

// about tells whether two changes are of the same relation to the same author.
func (p Patch) about(o Patch) bool {
	return p.Other == o.Other && p.Kind.Opposite() == o.Kind.Opposite()
}

// appendEnds is nothing where there are none, as in the entries of nearly everybody.
func appendEnds(b []byte, r *Reserve, built int64) []byte {
	if len(r.Ends) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(r.Ends)))
	for _, e := range r.Ends {
		b = binary.AppendVarint(b, int64(e.Author))
		b = append(b, byte(e.Relation))
		b = binary.AppendVarint(b, e.At-built)
	}
	return b
}

func (r *Reserve) decodeEnds(in *take.Bytes, built int64) error {
	if len(in.Left) == 0 {
		return nil
	}
	for range in.Count(3) {
		e := End{Author: core.ID(in.Varint()), Relation: Relation(in.Byte())}
		e.At = built + in.Varint()
		if in.Bad || !e.Author.Valid() || e.Relation&BlockedOrMuted != e.Relation {
			return fmt.Errorf("%w: end of %d to %d", ErrMalformed, e.Relation, e.Author)
		}
		r.Ends = append(r.Ends, e)
	}
	return nil
}
