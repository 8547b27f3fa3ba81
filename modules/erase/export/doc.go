// Package export hands out what feedrank holds of a person, as JSON lines: {"from": place, "row": {…}}. The first line
// says of whom and when, the last how many rows there were, so that one that was cut off is known by its end.
//
// Theirs is what they did and have: their account, posts, follows, likes, comments, blocks, mutes, memberships, hides,
// events and the sums of these (ClickHouse), what is kept of them to answer fast (Redis), and what they did as an
// operator (PostgreSQL).
// What others did to them, such as who blocks them, is the others' and not in it. Nor are records of Kafka, which
// ClickHouse has, dead letters, and rows of which only the key is left until they are merged away. A number in a row
// that stands for a key that is no integer is explained by a row of the table keys.
//
// A place that cannot be read ends the export with an error: it is whole, or says that it is not.
package export
