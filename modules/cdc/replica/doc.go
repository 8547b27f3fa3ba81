// Package replica is what ClickHouse holds of the app's tables: a copy of every mapped row, and for viewers the edges
// that rows give them, each with its place in the order of the log.
//
//	row, edges, scan     reading them: by key, or a range at a time
//	blocks, write        writing them; bulk: what PostgreSQL had before the log begins
//	version              the place of a row in the order of the log
//	epochs               the incarnations of a topic, which come first in a version
//	tombstones           what a truncate takes with it, whenever it arrives
//	truncate             applying one
package replica
