package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// muted leaves out the posts of those whom the viewer mutes.
var muted = Filter{
	Name:     "muted",
	Relation: reserve.Mutes,
	Detail: func(_ *Viewer, author reserve.Author) string {
		return fmt.Sprintf("the user mutes author %s", author.ID)
	},
}
