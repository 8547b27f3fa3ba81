package reserve

import "github.com/feedrank/feedrank/modules/core"

// patchOf says what changes of the app's tables are to their viewer.
var patchOf = map[core.ChangeKind]PatchKind{
	core.Followed: PatchFollow, core.Unfollowed: PatchUnfollow,
	core.Blocked: PatchBlock, core.Unblocked: PatchUnblock,
	core.Muted: PatchMute, core.Unmuted: PatchUnmute,
	core.JoinedGroup: PatchJoined, core.LeftGroup: PatchLeft,
	core.HidPost: PatchHide, core.UnhidPost: PatchUnhide,
}

// PatchOf is what a change of the app's tables is to its viewer; zero: it is about no viewer.
func PatchOf(kind core.ChangeKind) PatchKind { return patchOf[kind] }
