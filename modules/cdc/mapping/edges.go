package mapping

// EdgeKind is the kind of an edge in viewer_edges.
type EdgeKind string

// The kinds of edges.
const (
	EdgeFollow    EdgeKind = "follow"
	EdgeBlock     EdgeKind = "block"
	EdgeBlockedBy EdgeKind = "blocked_by"
	EdgeMute      EdgeKind = "mute"
	EdgeMember    EdgeKind = "member" // its other is a group
	EdgeHide      EdgeKind = "hide"   // its other is a post
)

// Edge is the key of a row in viewer_edges.
type Edge struct {
	Viewer int64
	Kind   EdgeKind
	Other  int64
	Key    string // of the row it comes from: two rows may say the same
}

// EdgeKinds are the kinds of edges that rows of a kind give, the one of whom the row is of first.
func (k Kind) EdgeKinds() []EdgeKind {
	switch k {
	case Follow:
		return []EdgeKind{EdgeFollow}
	case Block: // neither sees the other
		return []EdgeKind{EdgeBlock, EdgeBlockedBy}
	case Mute:
		return []EdgeKind{EdgeMute}
	case Member:
		return []EdgeKind{EdgeMember}
	case Hide:
		return []EdgeKind{EdgeHide}
	default:
		return nil
	}
}

// Edges are the edges that a row gives its viewers: none if it is gone.
func (k Kind) Edges(row Row) []Edge {
	if row.Gone || row.First == 0 || row.Other == 0 {
		return nil
	}
	switch k {
	case Follow:
		return []Edge{{row.First, EdgeFollow, row.Other, row.Key}}
	case Block: // neither sees the other
		return []Edge{{row.First, EdgeBlock, row.Other, row.Key}, {row.Other, EdgeBlockedBy, row.First, row.Key}}
	case Mute:
		return []Edge{{row.First, EdgeMute, row.Other, row.Key}}
	case Member:
		return []Edge{{row.First, EdgeMember, row.Other, row.Key}}
	case Hide:
		return []Edge{{row.First, EdgeHide, row.Other, row.Key}}
	default:
		return nil
	}
}
