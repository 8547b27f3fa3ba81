// Package admission decides which requests may begin while there is too much to do. It looks at one thing: how long
// what is ready to run waits for a processor (the scheduler's own histogram, each 100 ms). That grows when this
// process has more to do than it can, and does not when a server that it asks is slow; the breakers see to those. No
// library looks at the scheduler; those that follow the latency take a slow ClickHouse for too many cached feeds.
//
// # The limit
//
// While nine in ten wait more than admission.target_delay (twice in a row: once may be a hiccup), the limit falls to
// four fifths of what is inside, never below min_concurrent. With fewer than half of that inside it is not the
// requests that keep it busy. Else it grows by a tenth.
//
// # Who gives way
//
//	who                                      may use              when refused
//	probes, metrics, operators               always let in
//	feeds, trending                          every place          503 overloaded, Retry-After of 1 to 2 s
//	events, suggestions, other calls         three quarters       the same; clients send the same event ids again
//	of the feeds, those to be computed       half, no waiting     the old entry if there is one, else the same
//	refreshes of expired entries, warming    nothing while        nobody waits for them
//	                                         anybody was refused
//	                                         or waited in 2 s
//
// A request waits at most max_wait for a place, max_waiting at once. The latest is let in first, because who waits
// long has a client who has given up. Who is refused has cost nothing yet.
package admission
