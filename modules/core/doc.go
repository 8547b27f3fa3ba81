// Package core holds the words of the domain: ids, posts, events, actions, error codes and the
// clock. It imports nothing but the standard library.
package core
