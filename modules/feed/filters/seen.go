package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// seen leaves out posts that the viewer saw lately. A timeline that was asked for shows them, since a post was not read
// because it was on screen; so do trending posts, which are the same for everybody, the later pages of a session, and a
// first page that would be empty.
var seen = Filter{
	Name:  "seen",
	Posts: func(v *Viewer) *idset.Set { return v.Seen },
	Kinds: []Kind{Ranked, Remade},
	Detail: func(v *Viewer, _ reserve.Author) string {
		return fmt.Sprintf("the user saw the post in the last %s", v.SeenFor)
	},
}
