// Package dedup tells which events of a partition are new, and where users stood with posts before: from a window of
// recent ones, from a filter that excludes for sure, or by asking the ledger.
package dedup
