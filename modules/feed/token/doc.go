// Package token makes and reads what an item of a feed carries so that events can tell where it was
// shown: the session, the position, the source and the version of the ranking. Its text can be taken
// apart in SQL; its signature binds it to the user and the post.
package token
