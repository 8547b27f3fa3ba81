package events

import "github.com/feedrank/feedrank/modules/core"

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

// reactionOf is the kind of an action. bySession says whether impressions have one.
func reactionOf(a core.Action, bySession bool) reaction {
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
		if bySession {
			return reactSeen
		}
	case core.ActionView, core.ActionClick, core.ActionDwell:
	}
	return noReaction
}

// moves tells whether a reaction is one that moves a post for others.
func (r reaction) moves() bool { return r == reactLike || r == reactComment || r == reactShare }
