// Package recentedges is what a replica has heard of viewers' own changes, as soon as Kafka has them: whom they follow,
// block and mute, and who blocks them.
//
// The consumers tell the entries of what viewers change after ClickHouse has it; while ClickHouse is away that is
// never. A block must hold nevertheless. So every api replica also tails the topics of follows, blocks and mutes, and
// lays what it heard (65,536 rows, by viewer) over whatever reserve a page is made of, as far as the reserve may not
// know it.
//
// Where posts may be for mutuals, a follow means something to whom it is of, too: who follows them. That a viewer
// gained a follower is told from here alone. That they lost one is also in their entry, which must not show what is not
// for them any more, however much was heard since.
//
// Rows are told apart by their key. Where an edge has a key of its own, its deletion takes back only what was heard of
// that row, since another may say the same; where the key is the pair, the deletion counts, too. A replica that starts
// reads back as far as entries are kept.
//
// POST /api/v1/events marks what is hidden as soon as Kafka has it, and the consumer does the same again (the same 12
// bytes, counted once). What was seen during an outage of ClickHouse waits for the consumer.
package recentedges
