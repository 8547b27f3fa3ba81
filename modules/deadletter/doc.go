// Package deadletter keeps the records that a consumer could not apply, with what was wrong, so that
// people can look at them, replay them or discard them. A queue is a Kafka topic, so nothing but
// Kafka is needed to keep a letter safe.
//
// All letters that match are replayed or discarded as an order: it is kept in PostgreSQL with its progress, and carried
// out by the replica that leads the jobs (Job), in batches: first the records, then the marks. What is killed between
// the two is done again, and an event counts once however often it is replayed.
package deadletter
