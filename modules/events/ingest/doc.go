// Package ingest takes events over HTTP and writes them to Kafka: api.go, with quotas for each user (quota.go). What is
// hidden is told at once, before the consumer has it (hides.go).
package ingest
