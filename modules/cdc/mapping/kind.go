package mapping

import "slices"

// Kind is what a row of the app means to us.
type Kind uint8

// The kinds. Their numbers are nowhere stored.
const (
	User Kind = iota
	Post
	Follow
	Comment
	Like
	Block
	Mute
	Member
	Hide  // of a post, by a viewer
	kinds // how many there are

	// Group is what posts are in and people are members of. There are no rows of it.
	Group
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{User, Post, Follow, Comment, Like, Block, Mute, Member, Hide} }

// String is the kind's name in the configuration: cdc.tables.<kind>.
func (k Kind) String() string {
	if k == Group {
		return "group"
	}
	if k >= kinds {
		return "unknown"
	}
	return layouts[k].name
}

// Layout says which fields a kind has, and how our copy calls them.
type Layout struct {
	name     string
	Copy     string // our table in ClickHouse
	First    string // the field of Row.First; empty: the kind has none
	Other    string // the field of Row.Other
	optional bool   // the app need not have Other
	Value    string // the field of Row.Value, which the app need not have; empty: the kind has none
	// Keyed by Row.ID rather than by the text of the primary key: users and posts are named by others.
	ByID bool
}

// fieldID and fieldCreatedAt are the fields that every kind with an id, and every kind, has.
const (
	fieldID        = "id"
	fieldCreatedAt = "created_at"
	fieldGroup     = "group_id" // of a post
	fieldValue     = "value"    // of a like: what the vote or the reaction is worth
)

var layouts = [kinds]Layout{
	User:    {name: "user", Copy: "users", ByID: true},
	Post:    {name: "post", Copy: "posts", First: "author_id", Other: "group_id", optional: true, ByID: true},
	Follow:  {name: "follow", Copy: "follows", First: "follower_id", Other: "followee_id"},
	Comment: {name: "comment", Copy: "comments", First: "author_id", Other: "post_id"},
	Like:    {name: "like", Copy: "likes", First: "user_id", Other: "post_id", Value: fieldValue},
	Block:   {name: "block", Copy: "blocks", First: "blocker_id", Other: "blocked_id"},
	Mute:    {name: "mute", Copy: "blocks", First: "muter_id", Other: "muted_id"},
	Member:  {name: "member", Copy: "members", First: "user_id", Other: "group_id"},
	Hide:    {name: "hide", Copy: "hides", First: "user_id", Other: "post_id"},
}

// Layout is what the kind consists of.
func (k Kind) Layout() Layout { return layouts[k] }

// HasEdges tells whether the kind is also kept side by side for its viewer, in viewer_edges.
func (k Kind) HasEdges() bool {
	return k == Follow || k == Block || k == Mute || k == Member || k == Hide
}

// Counted tells whether the kind is also kept in the orders that counting asks for, in reactions_by_hour and
// reactions_by_user: by when and by whom, which a change of the row may change.
func (k Kind) Counted() bool { return k == Like || k == Comment }

// Optional are the fields that the configuration may leave out.
func (k Kind) Optional() (fields []string) {
	l := k.Layout()
	if l.optional {
		fields = append(fields, l.Other)
	}
	if l.Value != "" {
		fields = append(fields, l.Value)
	}
	return fields
}

// Fields are the names that the configuration maps for the kind, but for optional ones.
func (k Kind) Fields() []string {
	l := layouts[k]
	var all []string
	if l.ByID {
		all = append(all, fieldID)
	}
	for _, f := range []string{l.First, l.Other} {
		if f != "" && !slices.Contains(k.Optional(), f) {
			all = append(all, f)
		}
	}
	return append(all, fieldCreatedAt)
}
