// Package published has the trending posts that are not this replica's own: the lists that a job makes for all
// replicas, and the list of a week, asked of ClickHouse where there is none.
package published
