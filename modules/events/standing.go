package events

import (
	"strings"

	"github.com/feedrank/feedrank/modules/core"
)

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

const verdictEnum = "'counted' = 0, 'repeated' = 1, 'own' = 2, 'not_visible' = 3, 'not_served' = 4, 'unresolved' = 5"

func (v verdict) String() string {
	return [verdicts]string{"counted", "repeated", "own", "not_visible", "not_served", "unresolved"}[v]
}

// standing is what was decided of an event, once and for all: it is in its row.
type standing struct {
	effect  int8 // what it adds to its count: 1, 0, or -1
	verdict verdict
	author  core.ID // by the post's record; 0: unresolved
}

// reaction is a kind of reaction. A user counts once for a post in each. The numbers are those of
// event_states.sql.
type reaction uint8

const (
	noReaction reaction = iota
	reactLike
	reactComment
	reactShare
	reactHide
	reactSeen // an impression, where they count once for each feed_session
)

// reactionOf is the kind of an action. served says whether impressions have one.
func reactionOf(a core.Action, served bool) reaction {
	switch a {
	case core.ActionLike, core.ActionUnlike:
		return reactLike
	case core.ActionComment:
		return reactComment
	case core.ActionShare:
		return reactShare
	case core.ActionHide, core.ActionNotInterested, core.ActionUnhide:
		return reactHide
	case core.ActionImpression:
		if served {
			return reactSeen
		}
	case core.ActionView, core.ActionClick, core.ActionDwell:
	}
	return noReaction
}

// moves tells whether a reaction is one that moves a post for others.
func (r reaction) moves() bool { return r == reactLike || r == reactComment || r == reactShare }

// stateKey is what a user has one state for.
type stateKey struct {
	user, post core.ID
	kind       reaction
	session    uint64 // of reactSeen
}

func (k stateKey) hash() uint64 {
	return mix(uint64(k.user)*0xd6e8feb86659fd93 ^ mix(uint64(k.post)+uint64(k.kind)<<56) ^ k.session) //nolint:gosec // bits
}

// state is where a user stands with a post.
type state struct {
	on     bool
	latest int64 // of the events that it follows from, by their time
}

// apply moves on by an event, and tells what that adds. The latest event by time decides, and of two of one
// time the one that came later. So the sum of all effects is 1 while the state is on, and else 0.
func (s *state) apply(a core.Action, at int64) (effect int8) {
	if at < s.latest {
		return 0
	}
	s.latest = at
	on := a != core.ActionUnlike && a != core.ActionUnhide
	switch {
	case on == s.on:
		return 0
	case on:
		effect = 1
	default:
		effect = -1
	}
	s.on = on
	return effect
}

// keyOfState is what the event has a state for, if it is a reaction.
func (e *event) keyOfState(served bool) (k stateKey, ok bool) {
	kind := reactionOf(e.action, served)
	if kind == noReaction {
		return k, false
	}
	k = stateKey{user: e.user, post: e.post, kind: kind}
	if kind == reactSeen {
		k.session = sessionHash(sessionOf(e.session))
	}
	return k, true
}

// at is the event's time for its state. A clock that is ahead gains nothing.
func (e *event) at() int64 { return min(e.occurred, e.received) }

// sessionOf is the session of pages that a feed_session names.
func sessionOf(feedSession string) string {
	_, rest, _ := strings.Cut(feedSession, ".")
	session, _, _ := strings.Cut(rest, ".")
	return session
}

// sessionHash is FNV-1a.
func sessionHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
