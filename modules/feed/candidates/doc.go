// Package candidates builds a viewer's reserve: the posts that their pages are made of. compute.go has the stages:
// graph.go reads whom the viewer follows, blocks, mutes and cares for, sources.go has where posts come from, and the
// best of them by score and variety are the reserve. once.go decides what is built, kept and refreshed.
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
// A reserve that was computed without knowing what was hidden is answered with and not cached: it would show hidden
// posts until it expires.
//
// # When Redis has lost what one viewer hid and saw
//
// lost.go. Affinity counts a viewer's hides of 30 days and their views of today and yesterday. Where Redis
// remembers fewer hides, or nothing seen by a viewer who viewed, a third point read finds them in the raw events, the
// computation obeys them, and they are written back. Who has hidden nothing pays nothing. Where the events have no
// post for what is counted (a post hidden twice within a second), a note of how many these are is written among the
// marks, as a post whose id none has; it holds for the day. Only marks of the 30 days are compared. Impressions
// without a single view are not found again. While Redis is away the answer is degraded (sources: redis). Package
// refill does the same for everybody.
package candidates
