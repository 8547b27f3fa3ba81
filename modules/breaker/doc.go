// Package breaker stands between the program and each server that it depends on. It bounds every call in time and
// number, repeats what is safe to repeat, and stops asking a server that fails or is slow. What to do instead is the
// caller's business.
//
// Every call of a request goes through Breaker.Do, the same for ClickHouse, PostgreSQL, Redis and Kafka. From the
// outside in:
//
// # Retry
//
// It repeats a call that found its connection broken, where the server is only read (PostgreSQL); at most 10 in 100
// calls. ClickHouse's client replaces a dead connection itself, sarama repeats under the events' own ids, Redis is a
// cache.
//
// # Breaker
//
// It opens when half of the last 20 calls failed or were slow; after a second one call is the probe. It is a window of
// calls, not of time, so that it opens under little traffic as well. Under much, one outcome in 12.5 ms counts
// (count_for), so that the window is a quarter of a second at least: a stall that all calls under way feel at once
// must not open it. A call that began in an earlier state is no probe. Probes have a jitter of 10 %, so that what
// began together does not stay together.
//
// # Limit
//
// Places between min_concurrent and max_concurrent, following the latency of answered calls (failsafe-go's adaptive
// limiter). Beyond it a call waits max_wait at most, and four times as many wait as may run. All that a computed feed
// asks ClickHouse is one call: some begin and end, rather than all beginning and hardly one getting its last answer.
//
// # Deadline
//
// The policy's, or what is left of the request's own time. A client that goes away says nothing of the server.
//
// Suggestions ask ClickHouse through a breaker of their own (discovery), so that their heavier questions neither take
// the feed's places nor open its breaker. State, limit, waiting and in-flight calls are gauges; transitions are
// counted by reason and logged with the last failure; operators read, force and reset under /admin/v1/breaker.
package breaker
