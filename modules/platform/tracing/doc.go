// Package tracing follows one request through all that it makes work: by its id in every log line, problem, audit
// record and Kafka record.
package tracing
