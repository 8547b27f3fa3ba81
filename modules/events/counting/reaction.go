package counting

import "github.com/feedrank/feedrank/modules/core"

// Kind is a kind of reaction. A user counts once for a post in each. The numbers are those of
// event_states.sql.
type Kind uint8

// The kinds.
const (
	None Kind = iota
	Like
	Comment
	Share
	Hide
	Impression // an impression, where they count once for each feed_session
)

// KindOf is the kind of an action. bySession says whether impressions have one.
func KindOf(a core.Action, bySession bool) Kind {
	switch a {
	case core.ActionLike, core.ActionUnlike:
		return Like
	case core.ActionComment:
		return Comment
	case core.ActionShare:
		return Share
	case core.ActionHide, core.ActionNotInterested, core.ActionUnhide:
		return Hide
	case core.ActionImpression:
		if bySession {
			return Impression
		}
	case core.ActionView, core.ActionClick, core.ActionDwell:
	}
	return None
}

// Moves tells whether a reaction is one that moves a post for others.
func (r Kind) Moves() bool { return r == Like || r == Comment || r == Share }
