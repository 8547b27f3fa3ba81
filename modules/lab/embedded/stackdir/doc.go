// Package stackdir keeps what a stack of servers notes in its folder: the lock, and of each server its port, its
// password and its log.
package stackdir
