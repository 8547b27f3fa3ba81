// Package filters says which posts a viewer is not shown.
//
// Each filter is a named value with a file of its own; list.go lists them. Whoever makes a list of posts (the sources
// of a reserve, a first page, a later page, what fills up a short one, a timeline, trending posts, the count of new
// posts, and each fallback of these) asks a Viewer and nothing else. So a new filter is one file and one line in All:
// it holds on every path, feedrank_feed_filtered_total counts what it leaves out, and why-not answers with its name and
// its sentence, because a rejection is the filter that rejects.
//
// A page asks 500 times. So what most filters look at (a relation, a set of posts) is data, and is looked at without a
// call; BenchmarkReject says what that costs.
//
// How old a post may be is no filter: the sources are bounded by feed.hot.window, and what fills up an empty page is
// not.
package filters
