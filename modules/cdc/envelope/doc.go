// Package envelope reads the change events that Debezium writes to Kafka, and that our built-in source writes alike:
// JSON, with or without a schema around it.
//
// The format is described in Debezium's documentation, "Debezium connector for PostgreSQL", section "Data change
// events".
//
// What the built-in source writes differs in this: source.version is feedrank; source.system and source.lead are ours;
// numerics are strings and intervals ISO 8601; times beyond the range of the copy are at its end; a delete's before
// has nulls rather than made-up zeros; a snapshot's markers are all "true", and a snapshot ends with an op t.
// source.sequence has null until a first commit was seen, as Debezium's.
package envelope
