// Package updates keeps open streams told how many new posts wait: GET /api/v1/feed/updates.
//
// The number is that of GET /api/v1/feed?since=, made by the same stages: so whatever a feed respects (blocks, mutes,
// audiences, hides, who is suspended) holds here, and a client may use either. What is added is when to count.
//
// An idle stream is asked about by nobody. Each replica hears in memory of posts that come, go or change (package hot),
// of times that come for posts that are dated ahead, of whom viewers follow, block and mute, and of who is suspended.
// byAuthor says which streams follow an author: 8 bytes for each. These are counted again, by few workers, and told if
// the number is another one:
//
//	what happened                              who is counted again
//	a post of an author came, went, changed    streams that follow the author, or the post's group
//	an author was suspended, or came back      the same, of every group in which they posted
//	a viewer follows, blocks, mutes, joins     streams of both
//	a viewer hid a post, in this replica       streams of the viewer
//	a table was truncated, the first load      all
//
// A count reads what Redis knows of the viewer and the hot set. It computes no reserve: an entry of any age, with what
// its viewer changed since, says whom they follow. While Redis is away nothing is told, and tried again.
//
// The more posts wait, the less each further one matters: a stream is counted at most once in interval(n). So a busy
// author costs little, and no client gets more than a few events a minute for long.
//
// What was seen or hidden through another replica is noticed with the next count.
//
// The id of an event is the moment since which is counted, and the number that was told: a client that comes back with
// it (Last-Event-ID), to whatever replica, goes on with the same count, and is told only if the number is another.
package updates
