// Package ratelimit counts what is done by whom, and says when it is too much. Every replica counts
// for itself, in memory, and tells the others through Redis in the background: a request never waits
// for Redis, and goes on when Redis is gone (each replica then holds the limit alone).
//
// The others are told of a key only once it has used a tenth of its limit here, so what users do in
// the ordinary way costs Redis nothing. With n replicas a limit may therefore be exceeded by n-1
// tenths, and by what arrives between two rounds (100 ms).
//
// Memory is bounded, and a full one lets nobody in uncounted. All keys of one account stand in one shard,
// chosen by a seeded hash. An account has at most Rule.KeysEach keys; what is beyond is refused. Where a
// shard is full all the same, the account with most keys in it is shut out until the window ends and its
// keys make room. Where nobody stands out there are more accounts than the memory holds: those that do not
// fit share one count.
package ratelimit
