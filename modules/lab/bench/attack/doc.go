// Package attack is what strangers do to a server that they mean harm: tests and benches put it on a program of
// their own, on this machine. HTTP/2 is spoken frame by frame, since no client library would send such things.
package attack
