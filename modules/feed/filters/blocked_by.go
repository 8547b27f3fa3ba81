package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// blockedBy leaves out the posts of those who block the viewer.
var blockedBy = Filter{
	Name:     "blocked_by",
	Relation: reserve.BlockedBy,
	Detail: func(_ *Viewer, author reserve.Author) string {
		return fmt.Sprintf("author %s blocks the user", author.ID)
	},
}
