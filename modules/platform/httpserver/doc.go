// Package httpserver is the HTTP server: routing, authentication, limits, request ids, the access log and
// problem details. What the calls do is the features' business. chain.go lists every protection between the
// socket and a handler, in order; those that need nothing of the server are packages below.
//
// # What a client can make the server hold
//
// Nothing that others need is held while a client sends or reads. A request is refused by its headers alone
// (too long, no such call, no token, too many), at once and without a byte of its body; over HTTP/1 the
// connection then ends, since what follows is a body that nobody reads. Who is let in has the body read into
// memory, and only a request that is here as a whole takes a place: one of http.max_concurrent, then one of
// admission. Both go back when the answer begins to be written.
//
//	held                        bound                                     when it is full               for at most
//	connection                  max_connections; of one client            the one silent longest is     idle_timeout
//	                            max_connections_per_address               closed; of one client: the
//	                                                                      new one
//	… of an operator            a twentieth of max_connections for        refused                       idle_timeout
//	                            unlimited; 256 of its own at admin_addr
//	TLS handshake, headers      one goroutine and max_header_bytes and    431                           read_header_timeout
//	                            12 KiB a connection
//	HTTP/2 streams              100 a connection; as many resets in a     the connection ends           request_timeout and
//	                            row as net/http bears (400)                                             read_timeout
//	HTTP/2 header tables        4 KiB each way a connection (HPACK)       entries leave
//	HTTP/2 bodies not yet read  256 KiB a connection, 64 KiB a stream     the client waits (flow
//	                                                                      control)
//	HTTP/2 control frames       10,000 queued a connection (net/http)     the connection ends
//	body                        max_body_bytes each, max_body_memory for  the one read longest gets     read_timeout
//	                            all: 16 KiB each and what has come        408
//	body of a refused request   nothing; HTTP/1: its goroutine            the connection ends           500 ms
//	answer not read, HTTP/1     its connection                            see connection                read_timeout and
//	                                                                                                    request_timeout
//	answer not read, HTTP/2     max_concurrent in all                     the one that waits longest    the same
//	                                                                      is reset
//	answer that stays open      see package eventstream                   503, 429                      max_age
//	key of a token not known    one fetch of the key set for each key id; 401                           5 s
//	                            no place
//	place (max_concurrent)      none without a token                      503                           request_timeout
//	place in admission          none without a token                      503                           request_timeout
//	place of an operator        256, and 32 for pages of the console      503                           request_timeout, or
//	                                                                                                    a profile's time
//	probe                       no place, no rate; servers are asked      the same answer for all       1 s
//	                            once a second
//	counter of a rate           rate_limit.max_keys                       see ratelimit                 its window
//	log line                    one for each reason (forwarded addresses) counted
//
// test/e2e/abuse attacks each, and so can half of the load of `feedrank bench overload`.
//
// # What an address is
//
// Limits by address count clients as clientip.Subscriber says: an IPv4 address, or the /64 of an IPv6 one. It is the
// peer's, or, if that is in http.trusted_proxies, the last entry of X-Forwarded-For or Forwarded (RFC 7239)
// that no trusted proxy has added, with a port or without. Where both headers are there and differ,
// X-Forwarded-For is believed. An entry that cannot be read (unknown, _hidden) makes the request count for the
// proxy that added it. Both cases are logged once and counted in feedrank_http_forwarded_unusable_total. Every
// path counts against rate_limit.address_per_minute, but for probes and what is for operators without a token.
//
// # Headers that are too large
//
// Up to 8 KiB beyond http.max_header_bytes the answer is a problem with the code headers_too_large.
// net/http refuses what is larger: 431 in plain text over HTTP/1, in HTML over
// HTTP/2, and the connection ends.
package httpserver
