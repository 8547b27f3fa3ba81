// Package bench measures the program from outside: it runs `feedrank serve` as a process of its own beside the
// servers, puts load on it, and compares what it sees with what is promised. A bench is one file with one
// harness.Bench in it, listed in All:
//
//	reads     pages of feeds, trending, suggestions, what views answer, the memory that it takes
//	writes    the way of events and of changes into ClickHouse, and how soon a feed shows them
//	faults    servers that are killed, frozen and slowed; more load than the machine can bear
//	harness   what they are made with: the program as a process, loads, figures, the report
//	attack    clients that mean harm
package bench
