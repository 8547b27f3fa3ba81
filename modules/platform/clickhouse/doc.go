// Package clickhouse is the client of ClickHouse: a pool of native-protocol connections with
// deadlines, pinned settings and metrics.
package clickhouse
