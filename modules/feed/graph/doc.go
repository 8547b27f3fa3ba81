// Package graph reads whom a viewer follows, bars and cares for: from ClickHouse, and when that is away from the app's
// own PostgreSQL.
//
// Most of what a small question costs ClickHouse is planning how to merge, sum and sort. So the rows of who has few
// are read as they lie and put together in rows.go. Who has more than feed.max_edges edges, or 4,000 rows of these, is
// asked for in whole. TestFewRowsMeanWhatTheWholeQuestionSays holds both to the same. Parts of viewer_edges and
// user_author_90d stay compact however large they grow: a point read opens one file, not one for each column. The
// price is disk and slower scans, which only jobs make.
package graph
