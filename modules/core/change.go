package core

import "time"

// ChangeKind says what a committed change of the app's tables means to a feed.
type ChangeKind uint8

// The changes that feeds care about.
const (
	PostPut     ChangeKind = iota + 1 // a post is new or edited: see Change.Post
	PostDeleted                       // a post is gone: of Change.Post only the ID is known
	// a post may have changed: of Change.Post only the ID is known, and the copy will tell
	PostUnclear
	Followed // Viewer follows Other now
	Unfollowed
	Blocked // Viewer blocks Other now: neither sees the other
	Unblocked
	Muted // Viewer does not want to see Other
	Unmuted
	JoinedGroup // Viewer is a member of the group Other now
	LeftGroup
	HidPost // Viewer does not want to see the post Other
	UnhidPost
	TableCleared // a table was truncated: whoever holds a copy loads it anew
	TableReread  // a snapshot of a table has ended: what it did not bring is gone
	UserGone     // Viewer is deleted or hidden, or what the app means by that: nobody sees them, or their posts
	UserBack     // Viewer was gone, and is not any more
	UserUnclear  // Viewer may have gone or come back: the copy will tell
)

// Change is one committed change, as others inside the program are told of it.
type Change struct {
	Kind    ChangeKind
	Post    Post
	Viewer  ID
	Other   ID
	Private bool // of UserGone and UserBack: only Viewer's followers may see their posts
	// NoDiscovery is of UserGone and UserBack: Viewer, and their posts, are recommended to nobody but followers
	NoDiscovery bool
	Until       time.Time // of Blocked and Muted: when that ends; zero: when it is said
	// names the row that an edge comes from; set by who tells before its other columns are looked up
	Row         string
	CommittedAt time.Time
}
