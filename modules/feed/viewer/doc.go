// Package viewer is what is known of one viewer besides their reserve: the posts that they saw and hid, by Redis
// (package store) and by what this replica remembers itself.
//
// # The replica's own memory
//
// memory.go keeps the state that this replica last read of feed.cache.local_states viewers. While Redis is away this
// is the cache, and what is computed is kept there. What these viewers hid and saw still counts, and what they hid is
// given back to a Redis that came back empty. Their last entry (at most feed.cache.stale_for old, marked stale) is the
// answer where they cannot be computed in time. hides.go has what viewers hid through this replica, or told it: it
// counts at once, whatever Redis says.
//
// # Signals
//
// signals.go and store/write.go, where the consumers run. Seen and hidden posts and patches are written in pipelines of
// 256 users, 1 s each, tried again for feed.store.write_for. What is lost then is counted
// (feedrank_feed_signals_lost_total). The next batch tries once until Redis answers, so consumers do not queue behind a
// dead server.
package viewer
