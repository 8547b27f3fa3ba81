// Package cdc copies the app's tables from Kafka, where Debezium or the built-in source put their
// changes, to ClickHouse, so that once the log is drained every mapped table equals its original.
//
// The order of the log decides: one key's changes are all in one partition, and the last one wins.
// ARCHITECTURE.md, "Changes", tells the rules and why.
//
// # With Debezium
//
// The built-in source sends the keys and the mapped columns alone. Debezium sends every column of every table that it is
// given: a password hash would stand in Kafka in clear text for as long as the topic keeps it. Tell the connector
//
//	table.include.list     the mapped tables
//	column.include.list    their keys and mapped columns: public.users.(id|created_at),public.posts.(id|author_id|…)
//	publication.autocreate.mode    filtered, so that it publishes no other table; or disabled, with a publication that
//	                       lists tables and columns, as in config/grants/postgres.sql
//	message.key.columns    for a table whose replica identity is another index than its primary key: that index's columns
//
// and do not publish a table that has neither a primary key nor such an index: the app's own updates and deletes of it
// would fail. `feedrank check-config` warns of mapped columns that look like a secret.
package cdc
