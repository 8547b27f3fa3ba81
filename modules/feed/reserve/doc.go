// Package reserve holds what is kept for one viewer between requests: whom they follow, block and care for, and the
// few hundred posts that a page is made of. Scores are not kept: a page scores the reserve anew, with the engagement
// of the moment.
//
// # The encoding, version 1
//
//	version 1 | nonce 8 | fresh-until 8 | body length 4 | body | patches 9 each
//
// The body: the viewer's authors (id delta, relation bits, weighted interactions) and the candidates in ranked order
// (id delta, author index, source bits, age). About 5 KiB for 500 posts and 200 authors.
//
// A change of the viewer's (follow, block in either direction, mute, hide) is appended as a patch and changes the
// nonce, in one Lua script. The entry is no longer fresh, but a stale answer still obeys the change. A computed
// reserve is written with compare-and-set on version and nonce, so a computation that a change overtook is never kept.
// Unknown versions are misses, so two versions can share a Redis during a rolling upgrade.
package reserve
