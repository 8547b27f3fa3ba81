// Package deadletter keeps the records that a consumer could not apply, with what was wrong, so that
// people can look at them, replay them or discard them. A queue is a Kafka topic, so nothing but
// Kafka is needed to keep a letter safe.
package deadletter
