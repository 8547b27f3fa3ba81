package core

import "time"

// EventID is the UUID that a client gives an event, so that sending it again counts once. An
// event's identity is the pair of its user and its EventID.
type EventID [16]byte

// Event is one thing that one user did with one post.
type Event struct {
	ID          EventID
	UserID      ID
	PostID      ID
	AuthorID    ID
	Action      Action
	OccurredAt  time.Time // by the client's clock, UTC, milliseconds
	ReceivedAt  time.Time // by ours
	DwellMillis uint32    // how long, for ActionDwell
	Device      string
	AppVersion  string
	FeedSession string // the signed token of the page that showed the post
}
