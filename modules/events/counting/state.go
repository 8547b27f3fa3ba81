package counting

import (
	"strings"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
)

// Key is what a user has one state for.
type Key struct {
	User, Post core.ID
	kind       Kind
	session    uint64 // of reactSeen
}

// Hash spreads keys.
func (k Key) Hash() uint64 {
	return codec.Mix(uint64(k.User)*0xd6e8feb86659fd93 ^ codec.Mix(uint64(k.Post)+uint64(k.kind)<<56) ^ k.session)
}

// State is where a user stands with a post.
type State struct {
	On     bool
	Latest int64 // of the events that it follows from, by their time
}

// Apply moves on by an event, and tells what that adds. The latest event by time decides, and of two of one
// time the one that came later. So the sum of all effects is 1 while the state is on, and else 0.
func (s *State) Apply(a core.Action, at int64) (effect int8) {
	if at < s.Latest {
		return 0
	}
	s.Latest = at
	on := a != core.ActionUnlike && a != core.ActionUnhide
	switch {
	case on == s.On:
		return 0
	case on:
		effect = 1
	default:
		effect = -1
	}
	s.On = on
	return effect
}

// KeyOf is what an event has a state for, if it is a reaction. bySession says whether impressions have one.
func KeyOf(e *codec.Event, bySession bool) (k Key, ok bool) {
	kind := KindOf(e.Action, bySession)
	if kind == None {
		return k, false
	}
	session := ""
	if kind == Impression {
		session = sessionOf(e.Session)
	}
	return NewKey(e.User, e.Post, kind, session), true
}

// NewKey is the key of a user, a post and a kind; of a session where the kind has one.
func NewKey(user, post core.ID, kind Kind, session string) Key {
	k := Key{User: user, Post: post, kind: kind}
	if kind == Impression {
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
