package codec

import (
	"time"
	"unsafe"

	"github.com/feedrank/feedrank/modules/core"
)

// Event is one event as it goes through this package: core.Event with the times as milliseconds, so
// that a million of them cost nothing. Its strings are parts of the bytes it was read from.
type Event struct {
	User, Post, Author core.ID
	ID                 core.EventID
	Action             core.Action
	Occurred, Received int64 // milliseconds since 1970
	Dwell              uint32
	Device             string
	AppVersion         string
	Session            string
	Texts              *Texts // nil: every number is its own key
}

// Texts are the keys of an event whose numbers were derived from them; of others they are empty.
type Texts struct{ User, Post, Author string }

// UserKey is the key of the user.
func (e *Event) UserKey() core.Key {
	if e.Texts == nil {
		return core.Key{ID: e.User}
	}
	return core.Key{ID: e.User, Text: e.Texts.User}
}

// PostKey is the key of the post.
func (e *Event) PostKey() core.Key {
	if e.Texts == nil {
		return core.Key{ID: e.Post}
	}
	return core.Key{ID: e.Post, Text: e.Texts.Post}
}

// AuthorKey is the key of the author, as the client says.
func (e *Event) AuthorKey() core.Key {
	if e.Texts == nil {
		return core.Key{ID: e.Author}
	}
	return core.Key{ID: e.Author, Text: e.Texts.Author}
}

// SetUser makes it the event of a user.
func (e *Event) SetUser(k core.Key) {
	e.User = k.ID
	if k.Text == "" {
		return
	}
	if e.Texts == nil {
		e.Texts = &Texts{}
	}
	e.Texts.User = k.Text
}

// SetKeys makes it the event of a user on a post of an author.
func (e *Event) SetKeys(user, post, author core.Key) {
	e.User, e.Post, e.Author = user.ID, post.ID, author.ID
	if user.Text+post.Text+author.Text != "" {
		e.Texts = &Texts{User: user.Text, Post: post.Text, Author: author.Text}
	}
}

// Core is the event for the rest of the program. Its strings stay valid: the bytes they are parts
// of are never written again.
func (e *Event) Core() core.Event {
	return core.Event{
		ID: e.ID, UserID: e.User, PostID: e.Post, AuthorID: e.Author, Action: e.Action,
		OccurredAt: time.UnixMilli(e.Occurred).UTC(), ReceivedAt: time.UnixMilli(e.Received).UTC(),
		DwellMillis: e.Dwell, Device: e.Device, AppVersion: e.AppVersion, FeedSession: e.Session,
	}
}

// FromCore is an event of the rest of the program.
func FromCore(e *core.Event) Event {
	return Event{
		User: e.UserID, Post: e.PostID, Author: e.AuthorID, ID: e.ID, Action: e.Action,
		Occurred: e.OccurredAt.UnixMilli(), Received: e.ReceivedAt.UnixMilli(), Dwell: e.DwellMillis,
		Device: e.Device, AppVersion: e.AppVersion, Session: e.FeedSession,
	}
}

// At is the event's time for what follows from it. A clock that is ahead gains nothing.
func (e *Event) At() int64 { return min(e.Occurred, e.Received) }

// text is bytes as a string without a copy. The bytes must never be written again.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b)) //nolint:gosec // request bodies and Kafka records are read only
}

// The limits on what an event may hold.
const (
	maxDevice      = 64  // bytes
	maxAppVersion  = 32  // bytes
	maxSession     = 512 // bytes
	maxDwellMillis = 24 * 60 * 60 * 1000
	maxFuture      = 5 * time.Minute // how far a client's clock may be ahead of ours
)
