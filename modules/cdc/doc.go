// Package cdc copies the app's tables from Kafka, where Debezium or the built-in source put their
// changes, to ClickHouse, so that once the log is drained every mapped table equals its original.
//
// The order of the log decides: one key's changes are all in one partition, and the last one wins.
// ARCHITECTURE.md, "Changes", tells the rules and why.
package cdc
