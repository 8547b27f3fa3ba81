// Package envelope reads the change events that Debezium writes to Kafka, and that our built-in
// source writes alike: JSON, with or without a schema around it.
//
// The format is described in Debezium's documentation, "Debezium connector for PostgreSQL", section
// "Data change events".
package envelope
