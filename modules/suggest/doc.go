// Package suggest says whom a user may want to follow, and why: people whom those they follow follow,
// or whose posts those care for; people whose posts they themselves care for; and popular people. It
// never suggests the user, or anybody whom they follow, mute, block, have dismissed, or who blocks them.
package suggest
