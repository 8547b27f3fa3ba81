package filters

import "github.com/feedrank/feedrank/modules/feed/reserve"

// datedAhead holds posts back until the time that they are dated. Nobody has to tell when it has come.
var datedAhead = Filter{
	Name:  "dated_ahead",
	Ahead: true,
	Detail: func(*Viewer, reserve.Author) string {
		return "the post is dated ahead, and held back until its time"
	},
}
