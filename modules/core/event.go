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
	Repeated    bool   // a reaction that changes nothing: the user stood so already
}

// HiddenPost is that a user hid a post, or took that back.
type HiddenPost struct {
	Post ID
	At   time.Time
	Back bool
}

// StateAt is when an event of a client counts as done: as for what it counts, a clock that is ahead gains nothing.
func (e *Event) StateAt() time.Time {
	if e.ReceivedAt.Before(e.OccurredAt) {
		return e.ReceivedAt
	}
	return e.OccurredAt
}
