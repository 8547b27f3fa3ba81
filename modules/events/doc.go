// Package events is the path of what users do: the API that takes events from clients and writes them to Kafka, and
// the consumer that applies them to ClickHouse, each once. Here are its settings (config.go) and its wiring
// (module.go); the rest is in packages, of which each imports only those above it:
//
//	codec      the event, as a request and as a record of Kafka; what is accepted, and why something is not
//	window     a bounded memory of the latest keys
//	counting   what an event adds: verdicts, and where a user stands with a post
//	ledger     what ClickHouse holds: fences, rows, offset ranges, epochs; reconciling, rebuilding, commands to owners
//	ingest     HTTP to Kafka: the API, quotas, and hides told at once
//	importer   files to Kafka: events of the past
//	dedup      which events are new: the dedup window, the new-key filter, the states of reactions
//	posts      whose a post is, and who has blocked whom
//	partition  the state machine of a partition
//	consumer   the group: which partitions are ours, and from where
//
// Why nothing is lost and nothing counts twice is in README.md; what counts is in counting.
package events
