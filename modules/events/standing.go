package events

import (
	"strings"

	"github.com/feedrank/feedrank/modules/core"
)

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

// keyOf is what an event has a state for, if it is a reaction. bySession says whether impressions have one.
func keyOf(e *event, bySession bool) (k stateKey, ok bool) {
	kind := reactionOf(e.action, bySession)
	if kind == noReaction {
		return k, false
	}
	session := ""
	if kind == reactSeen {
		session = sessionOf(e.session)
	}
	return newKey(e.user, e.post, kind, session), true
}

// newKey is the key of a user, a post and a kind; of a session where the kind has one.
func newKey(user, post core.ID, kind reaction, session string) stateKey {
	k := stateKey{user: user, post: post, kind: kind}
	if kind == reactSeen {
		k.session = sessionHash(session)
	}
	return k
}

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
