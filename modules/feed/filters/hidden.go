package filters

import (
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// hidden leaves out posts that the viewer hid, or was not interested in.
var hidden = Filter{
	Name:  "hidden",
	Posts: func(v *Viewer) *idset.Set { return v.Hidden },
	Detail: func(*Viewer, reserve.Author) string {
		return "the user hid the post, or was not interested in it"
	},
}
