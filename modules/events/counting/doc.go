// Package counting says what an event adds.
//
// # What counts
//
// The owner of a partition decides of every event what it adds, and writes that into its row: the effect (1, 0
// or -1), the verdict that says why, and the author by the post's own record. The views sum effects. So a recount
// from the raw table stays the truth, and reconciling, audits and rebuilds need to know nothing of what follows.
//
// A reaction is a state. A user counts once for a post in each kind: like (and unlike), comment, share, hide (and
// not_interested, and unhide). All that one user does is in one partition, so its owner knows the order. The latest
// by time holds (never later than when it was received: a clock that is ahead gains nothing), and of two of one
// time the one that came later. A like adds 1 where the state was off, an unlike -1 where it was on, and what is
// older than what the state follows from adds 0. So the effects of a user, post and kind always add up to 0 or 1,
// in whatever order they come.
//
// The state before a batch is found as duplicates are: in a window of recent ones; or the filter, which has the
// keys of all reactions in the raw table, says that there was none; or it is looked up by primary key, from what
// was decided of the rows below the batch's first offset. Then the batch is gone through in its order. Of a row
// that is in the raw table already, what its row says is taken over and never decided again: that a post was
// deleted meanwhile, or that somebody was blocked, must not change what is counted. The window of a worker that
// leaves a batch unfinished is dropped: its states may follow from rows that were never written. The raw table
// keeps 30 days; a reaction that is repeated after that counts again, in the hour in which it is repeated.
//
// Whose post it is, and whether its sender may see it, comes from the copies of the app's tables (consumer/posts.go),
// whatever the client says. Reactions to one's own posts add nothing; nor do events on posts that are gone, or
// reactions between two of whom one has blocked the other. Views and impressions between these count: they move
// nobody's post up, and looking up every viewer of every post would cost more than the rest.
//
// An event that is ahead of its post's record is unresolved (consumer/unresolved.go): its row has no author, and the
// materialized views leave it out. The definition of the views (event_difference_*.sql) counts it as soon as
// there is a record of the post, if the post was made before the event came: who guesses at posts to come gains
// nothing. The owner looks for these posts every two seconds and reconciles the buckets that such events touch,
// like any other difference, so nothing hangs on the outcome of one insert. A new owner reads from the raw
// table which there are. It looks for so many posts, for an hour at most; what is found later an audit counts.
// A deleted post keeps its record, so what was counted stays counted.
//
// With events.require_session an impression counts only with a feed_session that was served to its user for its
// post, and once for each session. Without it twenty an hour of one user count, which is enough to sink a post:
// exposures lower its rate. The price is that clients must send feed_session, and that what other screens show is
// no exposure.
package counting
