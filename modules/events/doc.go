// Package events is the path of what users do: the API that takes events from clients and writes
// them to Kafka, and the consumer that applies them to ClickHouse, each once.
//
// The API: api.go, decode.go (with json.go), validate.go, produce.go (with encode.go).
//
// The consumer: consumer.go gives each Kafka partition a worker, partition.go is that worker: it
// collects a batch (batch.go, record.go), drops duplicates (dedup.go, window.go, filter.go)
// and brings the rest into ClickHouse (rows.go, ledger.go). take.go begins a partition and resolves
// whatever is uncertain; reconcile.go keeps the views equal to the raw table. Why this loses nothing
// and counts nothing twice is in ARCHITECTURE.md, "Events".
package events
