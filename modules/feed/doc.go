// Package feed is the read path: the ranked feed of a user, the timeline and the trending posts.
//
// stages.go is each request as a list of named stages, top to bottom. viewer.go reads what is known of the viewer;
// resolve.go has the order of answers; compute.go and sources.go make a reserve; firstpage.go, backfill.go, later.go,
// timeline.go and trending.go make the pages; package filters says what is left out of all of them. What is the same
// for everybody is in the hot set (package hot). What is one viewer's is in the reserve (package reserve), cached in
// Redis (package store).
//
// README.md has the stages, how long an entry lives, and why.
//
// # One computation at a time
//
// A viewer's computation runs once at a time (singleflight.go), keyed by the viewer and the tag of their entry: a
// request that has seen the viewer's own change never joins a computation that began before it. Across replicas it runs
// under a lease in Redis (lease.go), taken before the graph is read. Who finds the lease taken waits
// feed.cache.lease_wait for the other's entry, then computes anyway and saves nothing. Only the holder saves, in the
// script that checks the entry. A patch of the entry takes the lease away. So a viewer who has neither entry nor lease
// need not be told of a change, and a snapshot of millions of follows costs one EXISTS each, in pipelines of 256. Work
// ahead of need (refreshing an expired entry, warming) gives way at once where another replica holds the lease.
//
// # The replica's own memory
//
// local.go keeps the state that this replica last read of 2,000 viewers. While Redis is away this is the cache, and
// what is computed is kept there. What these viewers hid and saw still counts, and what they hid is given back to a
// Redis that came back empty. Their last entry (at most feed.cache.stale_for old, marked stale) is the answer where
// they cannot be computed in time. A reserve that was computed without knowing what was hidden is answered with and
// not cached: it would show hidden posts until it expires.
//
// # When Redis has lost what one viewer hid and saw
//
// seenhidden.go. Affinity counts a viewer's hides of 30 days and their views of today and yesterday. Where Redis
// remembers fewer hides, or nothing seen by a viewer who viewed, a third point read finds them in the raw events, the
// computation obeys them, and they are written back. Who has hidden nothing pays nothing. Where the events have no
// post for what is counted (a post hidden twice within a second), a note of how many these are is written among the
// marks, as a post whose id none has; it holds for the day. Only marks of the 30 days are compared. Impressions
// without a single view are not found again. While Redis is away the answer is degraded (sources: redis). Package
// refill does the same for everybody.
//
// # Without a hot set
//
// ondemand.go and hot/ondemand.go. While the hot set is not loaded, or its engagement is older than
// feed.hot.replace_after, a page asks ClickHouse for an on-demand set of the same type: the posts of the viewer's
// authors, those of the entry or the session, the published trending lists, and the engagement of all these. So every
// later stage is the same code. feed.hot.replace_at_once at a time, in the breaker; it is reported (sources: hot set,
// degraded). Who gets none uses the old set, or the entry's order with visibility from PostgreSQL. The posts that
// everybody gets are then those of the job (published.go).
//
// # Signals
//
// signals.go and store/write.go. Seen and hidden posts and patches are written in pipelines of 256 users, 1 s each,
// tried again for feed.store.write_for. What is lost then is counted (feedrank_feed_signals_lost_total). The next
// batch tries once until Redis answers, so consumers do not queue behind a dead server.
//
// # How good the fallback is
//
// Every feed.sample_overlap a replica that is well computes, after an answer, the page that its viewer would get with
// ClickHouse and their entry gone. feedrank_feed_fallback_overlap is the part of the ranked page that it has, too.
package feed
