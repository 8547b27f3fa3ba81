// Package consumer is a member of the consumer group of the events topic. It gives each partition that Kafka assigns
// to it a worker (package partition), which applies its events to ClickHouse, each once.
//
// When a session begins (session.go), it holds the topic against what the epoch began with (epoch.go), and starts
// each partition where the ledger says; what Kafka has committed counts only where the ledger has nothing yet. When
// a session ends, what a worker knows is kept for the next one of this process, if the partition stays here.
package consumer
