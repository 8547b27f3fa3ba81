// Package backup keeps what only feedrank's own servers have: in ClickHouse raw events, ledger, sums and copies of the
// app's tables, and in PostgreSQL the schema feedrank. Kafka and Redis need none: config/README.md has a table of what
// is lost with each store.
//
// ClickHouse backs up its own tables (BACKUP … TO File, Disk or S3). A folder beside that has the rest: what PostgreSQL
// holds, rows of tables that BACKUP leaves out, and manifest.json, which says of what versions it is, how many rows
// each table has and what they and the files hash to. The manifest is written last: a backup without one is none.
//
// # Events go on meanwhile, and nothing is counted twice
//
// Tables are cloned, which is instant and shares the files, and the clones are backed up. The order of the clones is
// what makes a restored ledger true, whatever is written between two of them:
//
//  1. event_ranges: what it says is applied, is in all that is cloned later.
//  2. post_metrics_1h, user_author_90d: the sums. They may lack what came after, and have nothing that events lack.
//  3. events: what is here and beyond the ranges, the next owner of the partition finds there (package partition): it
//     has the sums of all that it touched recounted, and writes no such row again.
//  4. partition_owners and erased_users, read row by row: every fence that a row of the clones carries is among them.
//
// So the consumers go on from Kafka right behind what the clone of events has. Copies of the app's tables are put right
// by `feedrank resync`, since the consumer of changes goes on where Kafka has committed it.
//
// PostgreSQL's part is one snapshot, taken first. It has nothing that the ledger depends on. Left out are the places of
// a replication log and of comparisons (cdc_snapshots, cdc_resync, heartbeat): a database that is made anew has another
// log. Numbers of leaders go on from far above those that are kept, because Redis and Kafka remember higher ones.
//
// # Restoring
//
// A target has been migrated by the same version and has no rows. What does not hash to what the manifest says is
// refused: files before anything is written, tables of ClickHouse once they are there, while their merges are stopped.
package backup
