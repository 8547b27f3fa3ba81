// Package source reads the changes of the app's tables out of PostgreSQL's write-ahead log and
// writes them to Kafka as Debezium's PostgreSQL connector would: the same topics, keys and envelopes,
// so that either can feed the consumer.
//
// One replica at a time is the source: it holds an advisory lock, and the replication slot admits
// one reader.
//
// # What is published
//
// A table is looked at before it is published (table.judge): one whose old rows the log does not tell makes the
// app's own updates and deletes fail with 55000 as soon as any publication carries it. The key of a record is what the
// log tells of a deleted row: the index that is the replica identity, else the primary key. A table that loses its key is
// taken out of the publication again, where we own it.
//
// Keys and mapped columns alone are sent. From PostgreSQL 15 on the publication lists them as well, with the primary key
// (cdc.source.publish_columns: mapped). That has a price: ALTER TABLE refuses to drop or retype a listed column until the
// table leaves the publication, and under REPLICA IDENTITY FULL updates are refused until the list is gone, at most
// cdc.source.table_check later. publish_columns: all lists nothing; what is sent stays the same.
//
// # Who has taken a table's place
//
// PostgreSQL publishes tables by their number, we are configured by name. So every table_check the tables are compared
// with what is published and with what was read (reconcile): feedrank.cdc_snapshots has the number, the key and the
// publication of each. What we may not mend is a problem of that table, in the log, in /readyz and in the metric
// table_problems; the other tables go on. Once it is mended, the table is read anew:
//
//  1. One transaction publishes the table and notes the log's position S: the sweep's. Every change that is published
//     now lies behind it, every row of the former table before it.
//  2. Transactions that wrote to the table before that end; their changes may not be in the log. The log goes on.
//  3. The log is followed beyond the last of them. What it brings after the reading is then younger than what is read,
//     so nothing that the sweep at S takes comes after it.
//  4. The session ends, and the next one reads the table and sweeps, as after a lost slot.
//
// A publication that was dropped is a lost slot: what changed meanwhile was not published, and up to PostgreSQL 17 the
// log from before cannot be decoded with a new one. The log of a partitioned table does not tell of a partition that is
// truncated, detached or attached with its rows; the files of the partitions are watched, and a comparison is asked for.
//
// # The first slot
//
// CREATE_REPLICATION_SLOT waits for every transaction that is under way in the whole server. Whom it waits for is said
// after two seconds, lock_timeout ends it after a minute on the server's side, and the next session tries again.
package source
