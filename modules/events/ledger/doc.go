// Package ledger is what ClickHouse holds of the events of a partition, and the only way to write there. Every write
// is under a fence, which the server checks. Reading tells what is applied, which offsets are there, and what was
// decided of each. What only the owner of a partition may do is asked of it by a command (owners.go).
package ledger
