package mapping

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// UserChange is what a change of a user means to the feed.
func UserChange(row Row, at time.Time) core.Change {
	kind := core.UserBack
	if row.Absent() {
		kind = core.UserGone
	}
	return core.Change{
		Kind: kind, Viewer: core.ID(row.ID), Private: !row.Gone && row.Audience != core.Public,
		NoDiscovery: !row.Gone && row.NoDiscovery, CommittedAt: at,
	}
}

// PostChange is what a change of a post means to the feed.
func PostChange(row Row, at time.Time) core.Change {
	if row.Gone {
		return core.Change{Kind: core.PostDeleted, Post: core.Post{ID: core.ID(row.ID)}, CommittedAt: at}
	}
	post := core.Post{
		ID: core.ID(row.ID), AuthorID: core.ID(row.First), CreatedAt: row.CreatedAt, Audience: row.Audience,
		Group: core.ID(row.Other), Labels: row.Labels,
	}
	if row.Hidden {
		post.Visibility = core.Hidden
	}
	return core.Change{Kind: core.PostPut, Post: post, CommittedAt: at}
}

// EdgeChange is what a change of an edge means to the feed; ok is false for the far side of a block,
// which the near side tells.
func EdgeChange(e Edge, gone bool) (change core.Change, ok bool) {
	comes := map[EdgeKind]core.ChangeKind{
		EdgeFollow: core.Followed, EdgeBlock: core.Blocked, EdgeMute: core.Muted, EdgeMember: core.JoinedGroup,
		EdgeHide: core.HidPost,
	}
	goes := map[EdgeKind]core.ChangeKind{
		EdgeFollow: core.Unfollowed, EdgeBlock: core.Unblocked, EdgeMute: core.Unmuted, EdgeMember: core.LeftGroup,
		EdgeHide: core.UnhidPost,
	}
	kind := comes[e.Kind]
	if gone {
		kind = goes[e.Kind]
	}
	return core.Change{Kind: kind, Viewer: core.ID(e.Viewer), Other: core.ID(e.Other)}, kind != 0
}
