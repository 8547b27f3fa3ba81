package mapping

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
	kinds // how many there are
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{User, Post, Follow, Comment, Like, Block, Mute} }

// String is the kind's name in the configuration: cdc.tables.<kind>.
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return layouts[k].name
}

// Layout says which fields a kind has, and how our copy calls them.
type Layout struct {
	name  string
	Copy  string // our table in ClickHouse
	First string // the field of Row.First; empty: the kind has none
	Other string // the field of Row.Other
	// Keyed by Row.ID rather than by the text of the primary key: users and posts are named by others.
	ByID bool
}

// fieldID and fieldCreatedAt are the fields that every kind with an id, and every kind, has.
const (
	fieldID        = "id"
	fieldCreatedAt = "created_at"
)

var layouts = [kinds]Layout{
	User:    {name: "user", Copy: "users", ByID: true},
	Post:    {name: "post", Copy: "posts", First: "author_id", ByID: true},
	Follow:  {name: "follow", Copy: "follows", First: "follower_id", Other: "followee_id"},
	Comment: {name: "comment", Copy: "comments", First: "author_id", Other: "post_id"},
	Like:    {name: "like", Copy: "likes", First: "user_id", Other: "post_id"},
	Block:   {name: "block", Copy: "blocks", First: "blocker_id", Other: "blocked_id"},
	Mute:    {name: "mute", Copy: "blocks", First: "muter_id", Other: "muted_id"},
}

// Layout is what the kind consists of.
func (k Kind) Layout() Layout { return layouts[k] }

// HasEdges tells whether the kind is also kept side by side for its viewer, in viewer_edges.
func (k Kind) HasEdges() bool { return k == Follow || k == Block || k == Mute }

// Counted tells whether the kind is also kept in the orders that counting asks for, in reactions_by_hour and
// reactions_by_user: by when and by whom, which a change of the row may change.
func (k Kind) Counted() bool { return k == Like || k == Comment }

// Fields are the names that the configuration may map for the kind.
func (k Kind) Fields() []string {
	l := layouts[k]
	var all []string
	if l.ByID {
		all = append(all, fieldID)
	}
	for _, f := range []string{l.First, l.Other} {
		if f != "" {
			all = append(all, f)
		}
	}
	return append(all, fieldCreatedAt)
}
