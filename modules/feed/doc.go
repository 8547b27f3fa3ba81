// Package feed is the read path: the ranked feed of a user, the timeline and the trending posts.
//
// request.go shows a whole request, top to bottom: hydrate, sources, merge, filters, score,
// diversify, reserve, page, side effects; candidates.go, which posts a page may hold. What is the same for everybody is in the hot set
// (package hot), what is one viewer's in the reserve (package reserve), cached in Redis (package
// store). fallback.go has the order of answers when a server is away.
package feed
