package filters

import "github.com/feedrank/feedrank/modules/feed/reserve"

// own leaves out the viewer's own posts.
var own = Filter{
	Name:   "own",
	Own:    true,
	Detail: func(*Viewer, reserve.Author) string { return "one's own posts are not in one's feed" },
}
