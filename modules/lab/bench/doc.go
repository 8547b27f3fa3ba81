// Package bench measures the program from outside: it runs `feedrank serve` as a process of its own
// beside the servers, puts load on it, and compares what it sees with what is promised. A bench is one
// file with one Bench in it, listed in All.
package bench
