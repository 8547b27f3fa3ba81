// Package clickhouse is the client of ClickHouse: a pool of native-protocol connections with
// deadlines, pinned settings and metrics.
//
// ch-go takes a query's deadline away once a packet has begun; this client keeps it, or a server that stops within a
// block would hold its caller for ever. After a restart of the server every connection of the pool is dead: a read
// takes the next as long as it finds dead ones, at last one that was dialled for it.
package clickhouse
