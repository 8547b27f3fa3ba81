package filters

import "github.com/feedrank/feedrank/modules/feed/reserve"

// notVisible leaves out posts that are deleted, or whose status hides them. Who makes a list looks each post up in the
// hot set, or in the app's database without one.
var notVisible = Filter{
	Name: "not_visible",
	Gone: true,
	Detail: func(*Viewer, reserve.Author) string {
		return "the post does not exist, is deleted, or its status hides it"
	},
}
