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

// Rejection says why one event of a batch was not accepted.
type Rejection struct {
	Index  int    `json:"index"`
	Field  string `json:"field,omitempty"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// The codes of rejections. They never change their meaning.
const (
	rejectMissing       = "missing"
	rejectInvalid       = "invalid"
	rejectTooLong       = "too_long"
	rejectOutOfRange    = "out_of_range"
	rejectUnknownAction = "unknown_action"
	rejectTooOld        = "too_old"
	rejectInFuture      = "in_future"
)

// DwellBucket is the bucket of a histogram that a dwell time falls in: 4 buckets for each doubling,
// so that a percentile read from them is at most 12 % off. The views compute the same in SQL.
func DwellBucket(millis uint32) uint8 {
	d := uint64(max(millis, 1))
	exponent := uint8(0)
	for d>>(exponent+1) != 0 {
		exponent++
	}
	return 4*exponent + uint8((4*d)>>exponent) - 4 //nolint:gosec // 0 to 3
}

// DwellBounds are the least dwell time of a bucket and the least of the next one.
func DwellBounds(bucket uint8) (from, to time.Duration) {
	bound := func(b int) time.Duration {
		return time.Duration(uint64(1)<<(b/4)*uint64(4+b%4)) * time.Millisecond / 4 //nolint:gosec // b is at most 128
	}
	return bound(int(bucket)), bound(int(bucket) + 1)
}
