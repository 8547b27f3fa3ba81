package cdc

import (
	"time"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// edgeKind is the kind of an edge in viewer_edges.
type edgeKind string

const (
	edgeFollow    edgeKind = "follow"
	edgeBlocks    edgeKind = "block"
	edgeBlockedBy edgeKind = "blocked_by"
	edgeMute      edgeKind = "mute"
)

// edge is the key of a row in viewer_edges.
type edge struct {
	viewer int64
	kind   edgeKind
	other  int64
	key    string // of the row it comes from: two rows may say the same
}

// nearEdge is the kind of the edge that a row gives whom it is of.
var nearEdge = map[mapping.Kind]edgeKind{mapping.Follow: edgeFollow, mapping.Block: edgeBlocks, mapping.Mute: edgeMute}

// edgeState is what is to be written of an edge.
type edgeState struct {
	edge
	createdAt time.Time
	version   uint64
	gone      bool
	origin    origin
}

// edgesOf are the edges that a row gives its viewers: none if it is gone.
func edgesOf(k mapping.Kind, row mapping.Row) []edge {
	if row.Gone || row.First == 0 || row.Other == 0 {
		return nil
	}
	switch k {
	case mapping.Follow:
		return []edge{{row.First, edgeFollow, row.Other, row.Key}}
	case mapping.Block: // neither sees the other
		return []edge{{row.First, edgeBlocks, row.Other, row.Key}, {row.Other, edgeBlockedBy, row.First, row.Key}}
	case mapping.Mute:
		return []edge{{row.First, edgeMute, row.Other, row.Key}}
	case mapping.User, mapping.Post, mapping.Comment, mapping.Like:
	}
	return nil
}

// edgeChange is what a change of an edge means to the feed; ok is false for the far side of a block,
// which the near side tells.
func edgeChange(e edge, gone bool) (core.Change, bool) {
	kind := map[edgeKind][2]core.ChangeKind{
		edgeFollow: {core.Followed, core.Unfollowed},
		edgeBlocks: {core.Blocked, core.Unblocked},
		edgeMute:   {core.Muted, core.Unmuted},
	}[e.kind]
	change := core.Change{Kind: kind[flag(gone)], Viewer: core.ID(e.viewer), Other: core.ID(e.other)}
	return change, change.Kind != 0
}
