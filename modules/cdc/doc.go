// Package cdc copies the app's tables from Kafka, where Debezium or the built-in source put their
// changes, to ClickHouse, so that once the log is drained every mapped table equals its original.
//
// The order of the log decides: one key's changes are all in one partition, and the last one wins.
// README.md tells the rules and why.
//
// # Packages
//
// Each imports only what is listed above it, and TestPackagesOfAFeatureImportLowerOnesOnly holds that:
//
//	envelope            what a record says, whoever wrote it
//	pgvalue, mapping    PostgreSQL's values; what the app's tables mean to us
//	source              reads PostgreSQL's log into Kafka
//	replica             what ClickHouse holds of a row, and its place in the order of the log
//	tail                tells at once of changes that Kafka has
//	schema              what PostgreSQL says of the app's tables: whether they fit the mapping, and their rows now
//	consumer            Kafka to ClickHouse: the one writer of a partition
//	resync              compares the tables with their copies, and repairs through Kafka
//
// This package has the configuration of all, and puts them together.
//
// # With Debezium
//
// The built-in source sends the keys and the mapped columns alone. Debezium sends every column of every table that
// it is given: a password hash would stand in Kafka in clear text for as long as the topic keeps it. Tell the
// connector
//
//	table.include.list     the mapped tables
//	column.include.list    their keys and mapped columns: public.users.(id|created_at),public.posts.(id|author_id|…)
//	publication.autocreate.mode    filtered, so that it publishes no other table; or disabled, with a publication that
//	                       lists tables and columns, as in config/grants/postgres.sql
//	message.key.columns    for a table whose replica identity is another index than its primary key: that index's columns
//
// and do not publish a table that has neither a primary key nor such an index: the app's own updates and deletes of it
// would fail. `feedrank check-config` warns of mapped columns that look like a secret.
//
// # More partitions for a cdc topic
//
// More partitions move keys between those that exist, and what is written between the growth and its being noticed
// has no certain order. So, one table at a time (TestATopicThatGrewGoesOn walks it):
//
//  1. Stop what writes the topic: the replicas with the cdc-source role, or the Debezium connector.
//  2. Wait until feedrank_cdc_lag_records is 0 for the table.
//  3. kafka-topics --alter --topic cdc.public.posts --partitions 8, and the same number in cdc.topics.partitions.
//  4. Wait until feedrank_cdc_topic_epoch rose for the table: within cdc.consumer.topic_check. The tails of api
//     replicas read what was added within a second, by themselves.
//  5. Start the source again: a producer that goes on with what it knew of the topic would write by the old number.
//  6. Only if something wrote in between: feedrank resync --table public.posts.
//
// # Records of another converter
//
// Keys are JSON, or Struct{id=7} as a StringConverter writes them, where all in them are integers or UUIDs. A key
// or a value by any other converter (Avro, Protobuf, text) is no single bad record: all that follow are like it. The
// partition waits at the first, other partitions go on; the log, /readyz and feedrank_cdc_parked say which setting
// of the connector is needed. With on_foreign_format: dead_letter they are set aside one by one instead.
package cdc
