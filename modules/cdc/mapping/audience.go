package mapping

import (
	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/core"
)

// Restricts tells whether somebody may not see a post that others may see.
func (c Config) Restricts() bool {
	p := c.Post
	return len(p.UnlistedWhen)+len(p.FollowersWhen)+len(p.MutualsWhen)+len(p.MembersWhen)+len(p.DirectWhen)+
		len(c.User.PrivateWhen) > 0
}

// HidesFromDiscovery tells whether somebody may have opted out of being recommended.
func (c Config) HidesFromDiscovery() bool { return len(c.User.NoDiscoveryWhen) > 0 }

// HasMutuals tells whether a post may be for those alone who follow its author and whom its author follows.
func (c Config) HasMutuals() bool { return len(c.Post.MutualsWhen) > 0 }

// setAudience says who may see a post, or the posts of a user. What cannot be told is for as few as there can be, and
// noted; except where the log does not tell and the table will.
func (s *Source) setAudience(row *Row, after envelope.Row) error {
	optedOut, err := anyOf(s.config.NoDiscoveryWhen, after)
	switch {
	case envelope.ReasonOf(err) == envelope.ReasonUnavailable:
		return err
	case err != nil:
		row.NoDiscovery, row.AudienceUnknown = true, err.Error()
	default:
		row.NoDiscovery = optedOut
	}
	for _, one := range []struct {
		audience   core.Audience
		conditions []Condition
	}{
		{core.Direct, s.config.DirectWhen},
		{core.Members, s.config.MembersWhen},
		{core.Mutuals, s.config.MutualsWhen},
		{core.Followers, s.config.FollowersWhen},
		{core.Followers, s.config.PrivateWhen},
		{core.Unlisted, s.config.UnlistedWhen},
	} {
		holds, err := anyOf(one.conditions, after)
		switch {
		case envelope.ReasonOf(err) == envelope.ReasonUnavailable:
			return err
		case err != nil:
			row.Audience, row.AudienceUnknown = core.Direct, err.Error()
			if s.Kind == User {
				row.Audience = core.Followers
			}
			return nil
		case holds:
			row.Audience = one.audience
			return nil
		}
	}
	return nil
}
