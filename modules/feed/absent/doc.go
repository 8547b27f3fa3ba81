// Package absent knows who is suspended, deactivated or deleted (cdc.tables.user, gone_when and hidden_when), so that
// nobody is shown their posts.
//
// Their posts stay where they are: in the hot set, in entries, in sessions, in the app's database. Who makes a page
// leaves them out by author, so a suspension changes one id and not a thousand posts, holds in whatever was cached
// before, and is taken back as fast.
//
// Each api replica holds the ids of all of them, 16 to 64 bytes a person, feed.absent.max_people at most; beyond that,
// deleted people are left out first, and the metric and readiness say so. It reads them from ClickHouse when it starts
// (while that is away from PostgreSQL, which knows of nobody who is deleted) and now and then, and hears of changes
// from Kafka in between. What it heard of lately outweighs ClickHouse, which may lag.
//
// Two more sets work alike: whose account is private (private_when), and who opted out of being recommended
// (no_discovery_when). In both everybody counts as one while somebody may be missing.
package absent
