// Package store keeps what the feed remembers of a user in Redis: the cached reserve, the posts they
// saw and hid, and the order of their sessions of pages. All keys of a user share a hash tag, so they
// are on one slot of a cluster. Everything expires and is bounded; without Redis the feed goes on.
package store
