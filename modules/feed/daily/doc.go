// Package daily is how feeds did on a day: what people did with what they were shown, from the raw events of that day,
// and where pages came from, counted by every replica.
//
// A day is recounted from its events rather than kept in a view: it is asked for a few times a day, reads one
// partition, and needs no second writer that would have to be kept exact. One question runs at a time; answers are
// remembered 10 s (today) or 5 min.
//
// The events consumer clears a feed_session whose signature is not of that user and post, so SQL may take stored ones
// apart. Pages by served_from are counted by each replica and flushed every 5 s to a hash a day in Redis, for 35 days:
// lost with Redis, but never more than 5 s with a replica.
package daily
