// Package mapping says which of the app's tables and columns mean users, posts, follows, comments,
// likes, blocks and mutes, and turns a change of such a table into a row of our copy.
package mapping
