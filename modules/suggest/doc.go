// Package suggest says whom a user may want to follow, and why: people whom those they follow follow, or whose posts
// those care for; people whose posts they themselves care for; and popular people. It never suggests the user, or
// anybody whom they follow, mute, block, have dismissed, or who blocks them.
//
// What is read of one user is bounded, so that a user with a million followers costs no more than others. A list of
// 100 people is used for an hour (suggest.fresh; a short list, which is a newcomer's, for six minutes). Who is
// followed, blocked, muted or dismissed meanwhile leaves it at once. What others do counts after little more than two
// hours at most. Who is deleted or hidden leaves every list at once; who comes back is at once in those that
// were computed before, in others after little more than an hour.
//
// # What is remembered
//
// Whom one person follows and cares for, their circle (circles.go), is the same for whoever asks. Each replica
// remembers circles for as long as a list is fresh, in suggest.circle_bytes at most; beyond that, who was not asked
// for longest goes. Who is missing is asked for in one question, and while there is room their neighbours by id, too:
// their rows lie in the granules that are read anyway. A user's own acts are never taken from memory.
//
// Who was ever deleted or hidden is read once in six minutes (a byte of each user; 100,000 at most, beyond that each
// list asks), and ClickHouse is asked only for those of a list who are among them.
//
// Edges are read as they lie and put together in edges.go; who has more than suggest.max_edges is asked for in whole.
// TestFewEdgesMeanWhatTheWholeQuestionSays holds both to the same. A read that suggest.max_rows ended is answered with
// and not remembered. Nothing is cut before it is counted.
package suggest
