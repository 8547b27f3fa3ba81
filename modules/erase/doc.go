// Package erase removes a person from everything that feedrank holds: ClickHouse, Redis, and our schema in the app's
// database: their own rows and keys, and those of others about them. What Kafka holds of them ends with its topics'
// retention.
//
// From the first step on nothing that names the person is taken any more. So what is removed after that stays removed.
// Every step can be repeated, and an erasure that was killed goes on when it is asked for again.
//
//  1. Refuse. Their id goes to erased_users (engine Join), and a constraint of each table looks there
//     (sql/clickhouse/migrations/0005_erasure.sql): the server takes no row that names them, whoever writes it and
//     however late a frozen process wakes. No time-out and no agreement among replicas is needed, as with the fence.
//     Consumers have the list in memory (List; looked at every 2 s, when they acquire a partition, and whenever the
//     constraint refused them) and leave such records out. Statements that ran before are waited for. API replicas
//     refuse the person's tokens.
//  2. Note which offsets of the raw table go (event_erasures), with their days.
//  3. Remove the rows from the parts on disk (ALTER … DELETE; the statement names nobody, because a mutation is
//     remembered; it has no query within a query, which never ends under some profiles). The texts of their keys go
//     last.
//  4. Recount: the owners of the partitions make the views equal to the raw table again, so the person's likes and
//     views leave the sums of posts too. Days of which the raw table has dropped rows cannot be recounted: there the
//     sums keep them, and say nothing of whom.
//  5. Forget: their keys in Redis, their places in others' lists, their id in audits' reports and in places of
//     comparisons in PostgreSQL.
//  6. Look for anything left, in all tables; else begin again at 2, three times at most.
//
// # Ledgers stay true
//
// A record left out is counted in its range (erased). An audit counts noted offsets as rows that were there. What was
// inserted, noted, removed, and then read again by an owner whose predecessor died before it wrote the range, is both;
// an audit allows for just that many. While an erasure is unfinished a count that differs is pending, and not
// repaired. resync sees no difference in rows of erased people.
//
// Package order has it done through the admin API, by the leader of the jobs.
//
// # What stays
//
// The ids in erased_users and erasures (that is how later records are known); records in Kafka until the topics'
// retention ends; lists that were computed for others until they expire; ids among what api replicas remember of
// followees, not used after suggest.fresh; backups, logs, and the app's own tables.
package erase
