package reserve

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/take"
)

// HidPost is the relation to a post that the viewer hid, by the app's own table, in a list of what is read of a viewer.
// It is never an author's, nor in an entry: see Split.
const HidPost Relation = 1 << 7

// Split parts the posts that a viewer hid from the authors among whom they were read.
func Split(read []Author) (authors []Author, hidden []core.ID) {
	if !slices.ContainsFunc(read, func(a Author) bool { return a.Relation == HidPost }) {
		return read, nil
	}
	for _, a := range read {
		if a.Relation == HidPost {
			hidden = append(hidden, a.ID)
		} else {
			authors = append(authors, a)
		}
	}
	slices.Sort(hidden)
	return authors, slices.Compact(hidden)
}

// hides tells whether a change is about a post that the viewer hid.
func (p Patch) hides() bool { return p.Kind == PatchHide || p.Kind == PatchUnhide }

func (r *Reserve) hide(p Patch) {
	at, hidden := slices.BinarySearch(r.Hidden, p.Other)
	switch {
	case p.Kind == PatchHide && !hidden:
		r.Hidden = slices.Insert(r.Hidden, at, p.Other)
	case p.Kind == PatchUnhide && hidden:
		r.Hidden = slices.Delete(r.Hidden, at, at+1)
	}
}

// appendHidden follows the ends, which are counted then even where there are none.
func appendHidden(b []byte, r *Reserve) []byte {
	if len(r.Hidden) == 0 {
		return b
	}
	if len(r.Ends) == 0 {
		b = binary.AppendUvarint(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Hidden)))
	var last core.ID
	for _, post := range r.Hidden {
		b = binary.AppendVarint(b, int64(post-last))
		last = post
	}
	return b
}

func (r *Reserve) decodeHidden(in *take.Bytes) error {
	if len(in.Left) == 0 {
		return nil
	}
	var last core.ID
	for i := range in.Count(1) {
		post := last + core.ID(in.Varint())
		if in.Bad || !post.Valid() || i > 0 && post <= last {
			return fmt.Errorf("%w: hidden post %d after %d", ErrMalformed, post, last)
		}
		last = post
		r.Hidden = append(r.Hidden, post)
	}
	return nil
}
