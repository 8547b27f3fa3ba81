// Package hot is the hot set: the recent posts by author, their visibility and their engagement, in the memory of
// every replica. What is the same for everybody is never asked per request.
//
// It is loaded in bulk from ClickHouse, follows the changes of posts from the CDC topics, and reads what was written
// of the current hour a few times a second. While ClickHouse is away it keeps what it has, and posts still come and
// go.
//
// # Memory and locks
//
// 88-byte posts in pages of 4096, so growing copies nothing; a table of ids with 8 bytes a slot; a map of authors.
// Each post has its term of engagement ready, by the ranking in force; another ranking works it out. Ids are looked up
// all slots first, then all posts (index.getAll): the look-ups do not depend on each other, so the processor waits for
// several at a time. One RWMutex: a reader holds it for a page's look-ups, writers in steps of at most 1024 rows.
// Blocks of 8,192 rows are asked for, because a connection of ch-go keeps the memory of the largest block that it
// read.
//
// # Engagement
//
// It is kept as three sums, past, hour before and this hour, so that the window slides by whole hours and trending of
// 1 h works. Every 500 ms the posts of the current hour are read of which rows were written since the last time (in
// its first 5 minutes those of the hour before, too), every minute all 24 hours, every 10 minutes everything. What was
// written lately the rows say themselves (post_metrics_1h.written_at, by the server's clock, whoever wrote: consumer,
// repair or rebuild). So nothing is kept between two reads, and sums are read, never differences. A write that takes
// more than 10 seconds, counts that were taken back, and those of a post that has just become visible come with the
// next minute. After a refresh the reader rests nine times what it took, 2 s at most: background work needs an
// explicit duty cycle.
//
// # Visibility
//
// A post that is not in the set (deleted, hidden, out of the window) is not shown: presence is visibility. Changes
// from the CDC tail outweigh a bulk load for 15 minutes (trust_changes), because ClickHouse may lag behind the tail;
// so a tail must start at least as far back as ClickHouse may lag. After a truncate ClickHouse decides what is left:
// it weighs positions, which the set does not know.
//
// # Lists
//
// Trending (1 h, 24 h) and popular posts are ranked every 2 s from all posts, by the score of package rank, which says
// how many people a post needs. Where the app's own tables count, who comments over and over is not one, and counters
// cannot tell. So the trending job looks at the raw rows and publishes, with its lists, what is suppressed
// (suppression.go).
// A suppressed post counts no engagement at all, in trending, in popular and in feeds; explain says so.
package hot
