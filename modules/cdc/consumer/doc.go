// Package consumer copies changes from Kafka to ClickHouse: whatever dies in between, the same records give the same
// rows under the same versions, and an offset is committed only when all before it is there.
//
// Of each partition one member of the group is the reader, and goes through these states from top to bottom:
//
//	state                what it does, and where                                          next
//	acquire              claims the incarnation that the topic is in (acquire.go)         load position
//	load position        goes on where it was committed; of another incarnation, at       collect; or stops,
//	                     the beginning; checks that the log has the next record           by on_lost_offset
//	                     (position.go)
//	collect              records to changes (decode.go), without repeats (repeats.go),    write; park at a record
//	                     until a batch is full, old, or ends with a truncate              of a converter that we
//	                     (partition.go)                                                   do not read
//	write with recovery  the steps below, all again after an error (write.go); then       collect
//	                     marks the batch's last offset
//	park                 waits until the session ends (park.go)                           release
//	release              waits for the writers, commits what is marked (acquire.go)       acquire, by whoever is next
//
// A write has these steps. Each may be repeated, and those after it come only when it is done:
//
//	admit                keys that are no integers get a number of their own, or are refused (admit.go)
//	publish              what cannot be read, or was refused, to the dead letters
//	prepare              once: who is erased, which copies are empty, which truncates there were
//	merge                the changes of a key to its last state, those of an edge likewise (mergestep.go, merge.go);
//	                     where the log does not tell a row, PostgreSQL is asked (ask.go)
//	insert               edges before the rows they come from (insert.go); rows without an order are looked at once
//	                     more (verify.go)
//	truncate             the tombstones again, and what they take of what was just written; then the batch's own
//	                     (truncate.go)
//	notify               observers, who may miss it
//
// So a truncate that another partition meets meanwhile is never missed: it keeps its tombstone before it deletes, and
// a write reads the tombstones after it has inserted.
package consumer
