package events

import "github.com/feedrank/feedrank/modules/core"

// verdict says why an event counts or does not. The numbers are stored in ClickHouse: never reuse one.
type verdict uint8

const (
	verdictCounted    verdict = 0 // it adds what it says
	verdictRepeated   verdict = 1 // a reaction that changes nothing: the user stood so already, or has changed their mind since
	verdictOwn        verdict = 2 // a reaction to one's own post
	verdictNotVisible verdict = 3 // the post is gone, or one of the two has blocked the other
	verdictNotServed  verdict = 4 // an impression without a feed_session, where one is required
	verdictUnresolved verdict = 5 // there is no record of the post yet
	verdicts                  = 6
)

func (v verdict) String() string {
	return [verdicts]string{"counted", "repeated", "own", "not_visible", "not_served", "unresolved"}[v]
}

// reacts tells whether an event with this verdict takes part in a state.
func (v verdict) reacts() bool {
	return v == verdictCounted || v == verdictRepeated || v == verdictUnresolved
}

// standing is what was decided of an event, once and for all: it is in its row.
type standing struct {
	effect  int8 // what it adds to its count: 1, 0, or -1
	verdict verdict
	author  core.ID // by the post's record; 0: unresolved
}
