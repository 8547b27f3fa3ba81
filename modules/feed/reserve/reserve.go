package reserve

import (
	"cmp"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Relation is what an author is to the viewer, as a set of bits. The bits are in cached entries:
// never reuse one.
type Relation uint8

// The relations.
const (
	Follows    Relation = 1 << iota // the viewer follows the author
	Blocks                          // the viewer blocks the author
	BlockedBy                       // the author blocks the viewer
	Mutes                           // the viewer mutes the author
	Unfollowed                      // the viewer followed the author once: what affinity is left is cut
	// the author follows the viewer: known only of those whom the viewer follows, and where posts may be for mutuals
	FollowsBack
	MemberOf // of the group whose id is this author's: groups are among authors, and may have the id of one
)

// Mutual is the relation of two who follow each other.
const Mutual = Follows | FollowsBack

// BlockedOrMuted are the relations under which nothing of the author is shown.
const BlockedOrMuted = Blocks | BlockedBy | Mutes

// Author is one person as the viewer relates to them.
type Author struct {
	ID           core.ID
	Relation     Relation
	Interactions float32 // the viewer's weighted interactions with the author in 90 days
}

// Affinity is the interactions that count: none with somebody who was unfollowed, blocked or muted.
func (a Author) Affinity() float64 {
	if a.Relation&(BlockedOrMuted|Unfollowed) != 0 {
		return 0
	}
	return float64(a.Interactions)
}

// Source says which sources offered a post, as a set of bits. The bits are in cached entries: never
// reuse one.
type Source uint8

// The sources.
const (
	Followee Source = 1 << iota
	Affine          // an author with affinity
	Trending
	Popular // recent and popular: the cold start
	Grouped // in a group of which the viewer is a member
)

// String is the source's name in the API: of several, the one that says most of the viewer.
func (s Source) String() string {
	switch {
	case s&Followee != 0:
		return "followees"
	case s&Affine != 0:
		return "affinity"
	case s&Grouped != 0:
		return "groups"
	case s&Trending != 0:
		return "trending"
	case s&Popular != 0:
		return "popular"
	default:
		return "unknown"
	}
}

// Candidate is a post that may be shown.
type Candidate struct {
	Post    core.ID
	Author  int32 // an index of Reserve.Authors
	Source  Source
	Created int64 // microseconds since 1970; to the millisecond in a decoded reserve
}

// Reserve is what one viewer's pages are made of.
type Reserve struct {
	BuiltAt    time.Time // to the millisecond
	Ranking    uint64    // the version of the ranking that chose the candidates
	Authors    []Author  // ascending by ID; every author of a candidate is among them
	Candidates []Candidate
	Ends       []End     // of relations that end by themselves; few have any
	Hidden     []core.ID // posts that the viewer hid, by the app's own table; ascending. They are left out of pages
}

// Find is the index of an author.
func (r *Reserve) Find(id core.ID) (int, bool) {
	return slices.BinarySearchFunc(r.Authors, id, func(a Author, id core.ID) int { return cmp.Compare(a.ID, id) })
}

// Author is what an author is to the viewer; a stranger has no relation.
func (r *Reserve) Author(id core.ID) Author {
	if i, ok := r.Find(id); ok {
		return r.Authors[i]
	}
	return Author{ID: id}
}

// Member tells whether a post is for the members of a group, and the viewer is one.
func (r *Reserve) Member(audience core.Audience, group core.ID) bool {
	return audience == core.Members && r.InGroup(group)
}

// InGroup tells whether the viewer is a member of a group; 0 is none.
func (r *Reserve) InGroup(group core.ID) bool {
	return group.Valid() && r.Author(group).Relation&MemberOf != 0
}

// Intern is the index of an author, who is put in where missing.
func (r *Reserve) Intern(id core.ID) int {
	i, ok := r.Find(id)
	if !ok {
		r.Authors = slices.Insert(r.Authors, i, Author{ID: id})
		for c := range r.Candidates {
			if int(r.Candidates[c].Author) >= i {
				r.Candidates[c].Author++
			}
		}
	}
	return i
}

// Offer adds a candidate, or the source to the one that is there.
func (r *Reserve) Offer(c Candidate) {
	for i := range r.Candidates {
		if r.Candidates[i].Post == c.Post {
			r.Candidates[i].Source |= c.Source
			return
		}
	}
	r.Candidates = append(r.Candidates, c)
}

// Reset empties the reserve and keeps its memory.
func (r *Reserve) Reset() {
	*r = Reserve{Authors: r.Authors[:0], Candidates: r.Candidates[:0], Ends: r.Ends[:0], Hidden: r.Hidden[:0]}
}

// PatchKind is a change of the viewer's that a cached entry has not been computed with. The numbers
// are in cached entries: never reuse one.
type PatchKind uint8

// The patches.
const (
	PatchFollow PatchKind = iota + 1
	PatchUnfollow
	PatchBlock
	PatchUnblock
	PatchBlockedBy
	PatchUnblockedBy
	PatchMute
	PatchUnmute
	PatchLess // a post of the author was hidden, or did not interest
	PatchMore // that was taken back
	PatchFollowedBack
	PatchUnfollowedBack // the author follows the viewer no longer
	PatchJoined         // Other is a group
	PatchLeft
	PatchHide // Other is a post
	PatchUnhide
	patchKinds // how many there are
)

// Patch is one such change.
type Patch struct {
	Kind  PatchKind
	Other core.ID
}

// relationChanges say which relation a change begins or ends; none where it is about something else.
var relationChanges = [patchKinds]struct {
	of     Relation
	begins bool
}{
	PatchFollow: {Follows, true}, PatchUnfollow: {Follows, false},
	PatchBlock: {Blocks, true}, PatchUnblock: {Blocks, false},
	PatchBlockedBy: {BlockedBy, true}, PatchUnblockedBy: {BlockedBy, false},
	PatchMute: {Mutes, true}, PatchUnmute: {Mutes, false},
	PatchFollowedBack: {FollowsBack, true}, PatchUnfollowedBack: {FollowsBack, false},
	PatchJoined: {MemberOf, true}, PatchLeft: {MemberOf, false},
}

// withdraw takes back what some sources offered of an author.
func (r *Reserve) withdraw(author core.ID, sources Source) {
	at, _ := r.Find(author)
	r.Candidates = slices.DeleteFunc(r.Candidates,
		func(c Candidate) bool { return int(c.Author) == at && c.Source&^sources == 0 })
	for i := range r.Candidates {
		if c := &r.Candidates[i]; int(c.Author) == at {
			c.Source &^= sources
		}
	}
}

// Knows tells whether a change to the viewer's graph would change nothing.
func (r *Reserve) Knows(p Patch) bool {
	if p.hides() {
		_, hidden := slices.BinarySearch(r.Hidden, p.Other)
		return hidden == (p.Kind == PatchHide)
	}
	relation := r.Author(p.Other).Relation
	if p.Kind == PatchFollowedBack { // of no use without the viewer's own follow, and there may be very many
		return relation&Mutual != Follows
	}
	change := relationChanges[p.Kind]
	return change.of != 0 && (relation&change.of != 0) == change.begins
}

// Unknown are the changes that would change something, in their order. Who follows the viewer matters once the viewer
// follows them, which may be among the changes.
func (r *Reserve) Unknown(changes []Patch) []Patch {
	var followed []core.ID
	for _, p := range changes {
		if p.Kind == PatchFollow {
			followed = append(followed, p.Other)
		}
	}
	return slices.DeleteFunc(changes, func(p Patch) bool {
		return r.Knows(p) && (p.Kind != PatchFollowedBack || !slices.Contains(followed, p.Other))
	})
}

// Clone is a copy that can be changed.
func (r *Reserve) Clone() *Reserve {
	c := *r
	c.Authors, c.Candidates = slices.Clone(r.Authors), slices.Clone(r.Candidates)
	c.Hidden = slices.Clone(r.Hidden)
	return &c
}

// Apply carries the changes out, so that even an entry that cannot be computed anew obeys them. hide
// is what a hidden post counts among the interactions.
func (r *Reserve) Apply(patches []Patch, hide float64) {
	for _, p := range patches {
		if p.hides() {
			r.hide(p)
			continue
		}
		author := &r.Authors[r.Intern(p.Other)]
		if change := relationChanges[p.Kind]; change.begins {
			author.Relation |= change.of
		} else {
			author.Relation &^= change.of
		}
		switch p.Kind {
		case PatchFollow:
			author.Relation &^= Unfollowed
		case PatchUnfollow:
			author.Relation |= Unfollowed
			r.withdraw(p.Other, Followee|Affine)
		case PatchLess:
			author.Interactions += float32(hide)
		case PatchMore:
			author.Interactions -= float32(hide)
		default: // the relation is all
		}
	}
}
