// Package writes measures the way of events and of changes into ClickHouse, and how soon a feed shows them.
package writes
