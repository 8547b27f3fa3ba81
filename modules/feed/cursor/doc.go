// Package cursor makes and reads the tokens that continue a session of pages. They are opaque to clients, signed,
// bound to one user and versioned.
//
// A cursor is base64url of
//
//	version, algo, session, start, ranking version, place [, served | created, post]
//
// and 16 bytes of HMAC-SHA256 over it and the user. Expired: 410 cursor_expired. Foreign, tampered or malformed: 400
// invalid_cursor.
//
// # Ranked sessions
//
// They follow the order that the first page made: kept in Redis (pages:v1:{user}:n, 8 per user, 30 min) and in an LRU
// of the replica. Where it is gone from both, the cursor is enough: it carries 3 bytes of a hash of each post that was
// served (80 + 4 characters a post, up to 900 posts). What was not served and is not younger than the session is
// ranked anew, once, and kept. So nothing comes twice, and nothing that is still a candidate is left out (but 3 in
// 100,000 by a collision). A cursor of a version without that part is read, and needs the order.
//
// Later pages pass over what may no longer be shown and let nothing in. What was seen since the session began does not
// count, so a page that is fetched twice is the same. A session keeps the version of the ranking that it began with,
// in every replica.
//
// # Timelines
//
// Timelines are keyset cursors (created_at, id) and need no snapshot: the hot set inside 72 h, PostgreSQL beyond.
package cursor
