// Package kafka is the client of Kafka: how we produce, consume in a group, read the tail of a
// topic and create topics, all with sarama.
package kafka
