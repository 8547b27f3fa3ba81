// Package marks is how posts that a user has seen or hidden are kept: 12 bytes each, the id and the
// second, appended to one string per user. A sorted set of Redis would need about 100.
package marks
