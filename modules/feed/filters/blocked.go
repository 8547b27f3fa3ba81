package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// blocked leaves out the posts of those whom the viewer blocks.
var blocked = Filter{
	Name:     "blocked",
	Relation: reserve.Blocks,
	Detail: func(_ *Viewer, author reserve.Author) string {
		return fmt.Sprintf("the user blocks author %s", author.ID)
	},
}
