// Package partition is the state machine that applies one partition of the events topic to ClickHouse, each event
// once. partition.go runs it. Its states, in the order in which the code is to be read, with the failpoints at which
// tests stop it:
//
//	state             code                       goes on when                                 failpoints passed
//	acquire           acquire.go                 the next fence is ours                       acquire, claimed
//	await in-flight   inflight.go                no statement of an older fence runs          in-flight-ended
//	load position     position.go                the last range and what lies beyond it       position-loaded
//	                                             are known, the views agree with the rows     reconciled
//	check log bounds  position.go                Kafka has what is next; else park
//	fill              dedup.IDs, unresolved.go   the new-key filter has all ids               filled
//	collect           collect.go                 a batch is full, or old enough               sealed
//	apply             apply.go, duplicates.go    keys are admitted (admit.go), dead letters   dead-lettered
//	                                             are safe, duplicates are out,
//	  decide          decide.go                  and each event says what it adds
//	write             write.go                   the rows are in                              inserting, inserted
//	  notify          notify.go                  observers know of them
//	  write range     write.go                   the range row is in                          range-written
//	commit            apply.go                   Kafka knows the offset: collect again        committed
//	recover           recover.go                 an unknown outcome: await in-flight and load
//	                                             position under the next fence, write the rest
//	park              park.go                    never by itself: an operator must decide
//
// An event that ClickHouse refuses again and again raises an alarm and is tried on (write.go), until it is taken out
// on request (quarantine.go). Between batches the worker does what is asked of the partition's owner (commands.go).
// When a session ends, what the worker knows is handed to the next one of the same process (partition.go), which
// resumes if its fence is still the newest (acquire.go).
//
// Whose post an event is of comes from package posts, what is ahead of its post waits in unresolved.go, and what
// names erased people is left out (collect.go).
package partition
