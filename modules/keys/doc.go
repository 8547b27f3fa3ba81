// Package keys is the book of keys that are no number of their own: UUIDs, ULIDs, text. core gives each a number
// that is derived from it, and everything inside counts in numbers. The book knows the text of a number, and sees
// to it that two texts of one number are never taken for one.
//
// # Admission
//
// Both consumers have the keys of a batch admitted before they write its rows (Admit). The table keys of
// ClickHouse has a row for each claim of a key; a claim is claimed, then held or withdrawn:
//
//  1. A key that memory knows as held needs nothing. So integers, and all but new keys, cost nothing.
//  2. Read what there is of the number. Held by this text: done. Any claim of another text: refused.
//  3. Else write a claim of one's own, and read again. No claim of another text: write it as held. Else withdraw it,
//     and refuse.
//
// Why no two texts are held: whoever writes "held" has read the number after its own claim was there, and found no
// claim of another text. Of two claims the later one finds the earlier one, which is withdrawn by nobody but its
// owner. At worst both withdraw, and a replay admits the first. A claim whose outcome is unknown, or whose owner
// died, is a claim: it keeps others out, and its own text in. So everything may be repeated, and a failure is the
// batch's failure.
//
// A refused key is a dead letter (reason key_collision), counted, and logged once.
//
// # Names
//
// Texts names numbers: from memory, else from ClickHouse. What is in no batch yet (a post of which the tail told,
// a row of the app's PostgreSQL, a viewer who asks) is remembered as heard (Learn), and compared with ClickHouse
// as soon as it can be: until then it names its number, and where the number turns out to be another's nothing is
// named by it any more. A number without a name is left out of answers, counted and logged once.
//
// # Viewers
//
// Check refuses who has the number of another. With ClickHouse away and nobody who knows them they pass: what is
// asked of PostgreSQL then is asked by the text.
//
// # Memory
//
// Two generations of at most half of keys.remember each: 24 bytes and a quarter for a UUID, about 90 for other
// text.
package keys
