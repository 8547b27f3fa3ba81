// Package mapping says which of the app's tables and columns mean users, posts, follows, comments,
// likes, blocks, mutes, members of groups and hides of posts, and turns a change of such a table into a row of our
// copy.
//
// # Conditions
//
// Lists of conditions say what a row is: whether it is one of its kind (only_when: all must hold), whether it is there,
// shown and for whom (the others: any must hold).
//
//	list      = "[" [ condition { "," condition } ] "]"
//	condition = "{column: " name ", " test "}"
//	test      = "in: [" text { "," text } "]"
//	          | "not_in: [" text { "," text } "]"
//	          | "is: " ( "null" | "set" | "true" | "false" | "past" | "future" )
//
// A condition asks one thing of one column of the row itself; there is no join, no comparison by size, no expression.
// An app that needs one gives the table a generated column.
//
//   - in and not_in compare with the column's value as text, letter by letter: numbers in decimal without leading
//     zeros, labels of enums as they are, UUIDs in lower case. A null is in no list, so that not_in holds for it.
//   - null and set ask whether there is a value. An empty text is one.
//   - true holds for true, t and 1; false for false, f, 0, an empty text and null. Anything else is neither: a row of
//     which an audience is asked is then for as few as there can be; any other is a dead letter. In YAML, null, true
//     and false are written in quotes.
//   - past and future say when a block or a mute ends: gone_when with past, or only_when with future. A null is no end.
//
// A condition cannot be asked of a value that PostgreSQL keeps apart (TOAST) and a change did not send. The consumer
// then asks the table.
package mapping
