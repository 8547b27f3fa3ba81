// Package ondemand provides a hot set for one request while the replica's own is not loaded, or its engagement is
// older than feed.hot.replace_after.
//
// A page then asks ClickHouse for a set of the same type: the posts of the viewer's authors, those of the entry or the
// session, the published trending lists, and the engagement of all these. So every later stage is the same code.
// feed.hot.replace_at_once at a time, in the breaker. Who gets none uses the old set, or the entry's order with
// visibility from PostgreSQL.
package ondemand
