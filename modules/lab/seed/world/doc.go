// Package world makes a synthetic social world: who is in it, who follows, mutes and blocks whom, what
// they posted in the last days and what they did with the posts. The same options make the same world.
// It is pure: nothing is read or written anywhere.
package world
