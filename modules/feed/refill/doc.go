// Package refill gives Redis back what viewers saw and hid when it has lost that of everybody: from the raw events, in
// bulk. Until it has come to a viewer, each of their computations asks for their own.
//
// The leader of the jobs looks every 5 s for 64 sentinel keys in Redis, spread over its slots, that only an emptied
// server (or node of a cluster) is without. Where one is missing it reads the raw events once, by the primary key in
// pages of 100,000 marks with one thread: hidden posts of 30 days first, then those seen in a day. It writes those
// that are missing before what is there.
//
// The sentinels hold the run's number meanwhile. If Redis is emptied again, or another run begins, the end fails and
// it starts over; what was written stays, and is not written twice. Who is erased is left out. feedrank_refill_whole
// is 0 while it goes on.
package refill
