package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// audience leaves out posts that are not for the viewer: unlisted ones and those for followers, of authors whom the
// viewer does not follow, likewise all posts of a private account, and of who opted out of being recommended; those for
// mutuals, of authors who do not follow the viewer either; those for the members of a group, of which the viewer is
// none; direct ones; and from a list for everybody whatever is not public.
var audience = Filter{
	Name:     "audience",
	Audience: true,
	Detail: func(_ *Viewer, author reserve.Author) string {
		if author.Relation&reserve.Follows != 0 {
			if author.Relation&reserve.FollowsBack == 0 {
				return fmt.Sprintf("the post is direct, and in nobody's feed, or for those alone whom author %s "+
					"follows, or for the members of a group", author.ID)
			}
			return "the post is direct, and in nobody's feed, or for the members of a group"
		}
		return fmt.Sprintf("the post, or the account of author %s, is not public or not to be recommended, and the user "+
			"does not follow them, or is no member of the post's group", author.ID)
	},
}
