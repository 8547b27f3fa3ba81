package filters

import "github.com/feedrank/feedrank/modules/feed/reserve"

// served leaves out posts that the session has given out already, where its order was lost and is made anew.
var served = Filter{
	Name:   "served",
	Post:   func(v *Viewer, p Post) bool { return v.Served.Has(p.ID) },
	Kinds:  []Kind{Remade},
	Detail: func(*Viewer, reserve.Author) string { return "the session has given the post out" },
}
