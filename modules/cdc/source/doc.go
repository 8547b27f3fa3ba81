// Package source reads the changes of the app's tables out of PostgreSQL's write-ahead log and
// writes them to Kafka as Debezium's PostgreSQL connector would: the same topics, keys and envelopes,
// so that either can feed the consumer.
//
// One replica at a time is the source: it holds an advisory lock, and the replication slot admits
// one reader.
package source
