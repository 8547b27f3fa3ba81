package counting

import "github.com/feedrank/feedrank/modules/core"

// Verdict says why an event counts or does not. The numbers are stored in ClickHouse: never reuse one.
type Verdict uint8

// The verdicts.
const (
	Counted Verdict = 0 // it adds what it says
	// a reaction that changes nothing: the user stood so already, or has changed their mind since
	Repeated   Verdict = 1
	Own        Verdict = 2 // a reaction to one's own post
	NotVisible Verdict = 3 // the post is gone, or one of the two has blocked the other
	NotServed  Verdict = 4 // an impression without a feed_session, where one is required
	Unresolved Verdict = 5 // there is no record of the post yet
	Verdicts           = 6
)

func (v Verdict) String() string {
	return [Verdicts]string{"counted", "repeated", "own", "not_visible", "not_served", "unresolved"}[v]
}

// Reacts tells whether an event with this verdict takes part in a state.
func (v Verdict) Reacts() bool {
	return v == Counted || v == Repeated || v == Unresolved
}

// Decision is what was decided of an event, once and for all: it is in its row.
type Decision struct {
	Effect  int8 // what it adds to its count: 1, 0, or -1
	Verdict Verdict
	Author  core.ID // by the post's record; 0: unresolved
}
