// Package feed is the read path: the ranked feed of a user, the timeline and the trending posts.
//
// stages.go is each request as a list of named stages, top to bottom. viewer.go reads what is known of the viewer;
// resolve.go has the order of answers; firstpage.go, backfill.go, later.go, timeline.go and trending.go make the pages,
// answer.go hands them over. whynot.go, dryrun.go and overlap.go follow a page without giving one.
//
// The rest is in packages. What a page is made of: candidates builds a viewer's reserve, reserve is that and its cached
// entry, filters say what is left out of every list, shortlist ranks, page is the answer and its JSON, httpapi the
// calls. What is the same for everybody: hot, ondemand in its place, published. What is one viewer's: viewer, store.
//
// README.md has the stages, how long an entry lives, and why.
//
// # Without a hot set
//
// unranked.go and package ondemand. A page for which there is none, and which gets none on demand, follows the entry's
// order, with visibility from PostgreSQL; it is reported (sources: hot set, degraded). The posts that everybody gets
// are then those of the job (package published).
//
// # How good the fallback is
//
// Every feed.sample_overlap a replica that is well computes, after an answer, the page that its viewer would get with
// ClickHouse and their entry gone. feedrank_feed_fallback_overlap is the part of the ranked page that it has, too.
package feed
