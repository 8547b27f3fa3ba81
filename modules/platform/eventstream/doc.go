// Package eventstream keeps answers open and sends events on them: Server-Sent Events, as the HTML standard has them.
//
// What is open and idle must cost next to nothing, because most of it always is. So over HTTP/1 a stream takes its
// connection over from net/http, which lets go of its buffers and of the goroutine of the request. What is left is the
// connection, a goroutine that waits for the client to hang up, and a Stream. There is no timer and no writer for each:
// one round a second looks at all of them (heartbeats, tokens that expire, streams that are old), and a goroutine
// writes only while there is something to write. Over HTTP/2, where streams share a connection, the handler stays.
//
// Only the latest event of a stream waits to be sent: it says how things are, not what has changed. So a client that
// reads slowly costs one event, and is ended when it takes nothing for Options.WriteTimeout.
//
// A stream ends with an event "end" that says why (draining, token_expired, max_age). When the replica stops, each is
// told a time of its own to come back after (retry), so that the others do not get all of them at once.
package eventstream
