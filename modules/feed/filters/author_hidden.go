package filters

import (
	"fmt"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// authorHidden leaves out the posts of those who are suspended, hidden or deleted in the app.
var authorHidden = Filter{
	Name:   "author_hidden",
	Author: func(v *Viewer, author reserve.Author) bool { return v.Absent.Has(author.ID) },
	Detail: func(_ *Viewer, author reserve.Author) string {
		return fmt.Sprintf("author %s is deleted, or hidden by their state in the app", author.ID)
	},
}
