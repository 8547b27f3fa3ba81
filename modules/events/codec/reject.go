package codec

import "github.com/feedrank/feedrank/modules/core"

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

// check holds what each field cannot tell by itself. now is when the event was received.
func (f *fields) check(now int64, a acceptance) {
	switch {
	case f.has&hasEventID == 0:
		f.reject("event_id", rejectMissing, "make a UUID for each event and keep it when you send it again")
	case f.has&hasAction == 0:
		f.reject("action", rejectMissing, "say what the user did")
	case f.has&hasPost == 0:
		f.reject("post", rejectMissing, "say which post")
	case f.has&hasAuthor == 0:
		f.reject("author", rejectMissing, "say whose post")
	case f.has&hasOccurred == 0:
		f.reject("occurred_at", rejectMissing, "say when, by the client's clock")
	case f.Occurred > now+a.future.Milliseconds():
		f.reject("occurred_at", rejectInFuture, "more than "+a.future.String()+" ahead of our clock")
	case f.Occurred < now-a.age.Milliseconds():
		f.reject("occurred_at", rejectTooOld, "older than "+a.age.String())
	case f.Action == core.ActionDwell && (f.has&hasDwell == 0 || f.Dwell == 0):
		f.reject("dwell_ms", rejectMissing, "say how long, in milliseconds from 1")
	}
}
