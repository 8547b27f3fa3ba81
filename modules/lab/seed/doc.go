// Package seed puts a synthetic social world into the servers: rows into the app's database, which CDC
// carries on, and events into the events path, as clients would send them or in bulk.
package seed
