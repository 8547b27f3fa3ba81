package world

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// User is a row of users.
type User struct {
	ID        core.ID
	Name      string
	CreatedAt time.Time
}

// Pair is a row of follows, mutes or blocks: who does it, and to whom.
type Pair struct {
	From, To  core.ID
	CreatedAt time.Time
}

// Post is a row of posts.
type Post struct {
	ID        core.ID
	AuthorID  core.ID
	Body      string
	Status    string
	CreatedAt time.Time
	DeletedAt *time.Time
}

// Reaction is a row of likes, or of comments where there is a Body.
type Reaction struct {
	UserID    core.ID
	PostID    core.ID
	Body      string
	CreatedAt time.Time
}

// Count is how much of everything a world has.
type Count struct {
	Users, Follows, Mutes, Blocks, Posts, Events int
}
