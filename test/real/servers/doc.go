// Package servers runs the servers that feedrank meets in production: Apache Kafka, Kafka Connect with Debezium's
// PostgreSQL connector, PostgreSQL and Redis as Debian packages them, and ClickHouse as the embedded engine.
//
// Every server is a process of its own on a free loopback port. It can be killed, frozen and started again with its
// data on the same address, and it ends with the process that started it, whatever ended that. Linux only: the last
// needs a parent-death signal.
package servers
