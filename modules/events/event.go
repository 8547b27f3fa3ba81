package events

import (
	"time"
	"unsafe"

	"github.com/feedrank/feedrank/modules/core"
)

// event is one event as it goes through this package: core.Event with the times as milliseconds, so
// that a million of them cost nothing. Its strings are parts of the bytes it was read from.
type event struct {
	user, post, author core.ID
	id                 core.EventID
	action             core.Action
	occurred, received int64 // milliseconds since 1970
	dwell              uint32
	device             string
	appVersion         string
	session            string
}

// export is the event for the rest of the program. Its strings stay valid: the bytes they are parts
// of are never written again.
func (e *event) export() core.Event {
	return core.Event{
		ID: e.id, UserID: e.user, PostID: e.post, AuthorID: e.author, Action: e.action,
		OccurredAt: time.UnixMilli(e.occurred).UTC(), ReceivedAt: time.UnixMilli(e.received).UTC(),
		DwellMillis: e.dwell, Device: e.device, AppVersion: e.appVersion, FeedSession: e.session,
	}
}

// fromCore is an event of the rest of the program.
func fromCore(e *core.Event) event {
	return event{
		user: e.UserID, post: e.PostID, author: e.AuthorID, id: e.ID, action: e.Action,
		occurred: e.OccurredAt.UnixMilli(), received: e.ReceivedAt.UnixMilli(), dwell: e.DwellMillis,
		device: e.Device, appVersion: e.AppVersion, session: e.FeedSession,
	}
}

// at is the event's time for what follows from it. A clock that is ahead gains nothing.
func (e *event) at() int64 { return min(e.occurred, e.received) }

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
