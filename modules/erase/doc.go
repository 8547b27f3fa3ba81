// Package erase removes a person from everything that feedrank holds: ClickHouse, Redis, and our schema
// in the app's database. What Kafka holds of them ends with its topics' retention.
//
// From the first step on nothing that names the person is taken any more: the tables of ClickHouse refuse
// it themselves (sql/clickhouse/migrations/0005_erasure.sql), whoever writes it and however late, and the
// consumers of every replica leave it out (List). So what is removed after that stays removed. Every step
// can be repeated, and an erasure that was killed goes on when it is asked for again.
package erase
