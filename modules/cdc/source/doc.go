// Package source reads the changes of the app's tables out of PostgreSQL's write-ahead log and
// writes them to Kafka as Debezium's PostgreSQL connector would: the same topics, keys and envelopes,
// so that either can feed the consumer.
//
// # What is published
//
// A table is looked at before it is published (table.judge): one whose old rows the log does not tell makes the
// app's own updates and deletes fail with 55000 as soon as any publication carries it. The key of a record is what
// the log tells of a deleted row: the index that is the replica identity, else the primary key. A table that loses
// its key is taken out of the publication again, where we own it.
//
// Keys and mapped columns alone are sent. From PostgreSQL 15 on the publication lists them as well, with the
// primary key (cdc.source.publish_columns: mapped). That has a price: ALTER TABLE refuses to drop or retype a
// listed column until the table leaves the publication, and under REPLICA IDENTITY FULL updates are refused until
// the list is gone, at most cdc.source.table_check later. publish_columns: all lists nothing; what is sent stays
// the same.
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
// A publication that was dropped is a lost slot: what changed meanwhile was not published, and up to PostgreSQL 17
// the log from before cannot be decoded with a new one. The log of a partitioned table does not tell of a partition
// that is truncated, detached or attached with its rows; the files of the partitions are watched, and a comparison
// is asked for.
//
// # The first slot
//
// CREATE_REPLICATION_SLOT waits for every transaction that is under way in the whole server. Whom it waits for is said
// after two seconds, lock_timeout ends it after a minute on the server's side, and the next session tries again.
//
// # One leader
//
// An advisory lock is asked for again and again, never waited for inside PostgreSQL. The server gives it to another
// replica when the leader's process dies, when its host vanished (TCP keepalives), and when nothing was heard of it
// for cdc.source.lead_timeout (idle_session_timeout of the lock's session). Who leads then ends all other sessions of
// the former leader: its walsender frees the slot, its snapshot holds no lock, and nothing it does to PostgreSQL when
// it wakes succeeds.
//
// Left is what it has in hand for Kafka. Each lead has a number (feedrank.cdc_leads) that only grows, and each record
// carries it (source.lead). A partition's consumer leaves out a record whose number is below one that it has read
// there. A change that the former leader had not brought to Kafka is written by its successor. If that came before the
// late record, the late one is left out; if after, it wins as the last of its key.
//
// # Snapshot
//
// Publication first, then the slot with its exported snapshot, then each table under that snapshot in chunks by key,
// then the log from the slot. A chunk's checkpoint is saved in feedrank.cdc_snapshots once Kafka has it. What changed
// between the slot and a session that resumes follows in the log once more, so the log still decides. Rows carry the
// position at which the table was locked: a TRUNCATE is wholly before or wholly after it. After the last row comes an
// op t at the slot's first restart_lsn: it takes what ClickHouse had from before and the snapshot did not bring.
//
// # Streaming
//
// pgoutput protocol 1: the server sends a transaction after its commit and keeps a large one on its own disk. Rows are
// passed on as they come, bounded by max_in_flight and max_in_flight_bytes, so memory does not grow with the
// transaction. A position is confirmed only when Kafka (all replicas) has every record of every transaction up to it.
package source
