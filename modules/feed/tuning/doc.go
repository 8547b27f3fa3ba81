// Package tuning changes the ranking at run time. The versions are in PostgreSQL, in our schema; every replica looks
// for a new one once a second. While PostgreSQL is away, the ranking stays.
//
// A file that says something new (mtime and size each second, or SIGHUP) becomes the next version, once for all
// replicas (file.go). A file that has not changed never undoes what an operator put in force. A wrong one is logged
// and the ranking stays.
//
// A session of pages keeps the version that it began with; a replica that starts, or missed some, reads the last 32
// along with the newest. A dry run computes each page twice, past the cache, since an entry's candidates and affinity
// are those of the ranking in force.
package tuning
